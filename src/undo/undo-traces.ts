import { preparedPath } from '../flow/prepared-path.ts'
import type { Setup, World } from '../plan/step.ts'
import type { EnvFileOnDisk } from '../services/mastodon/port.ts'
import { type EnvRestoration, envRestoration } from '../setup/env-restoration.ts'
import type { EnvTrace } from '../setup/undoing.ts'

/** Reads every env file of Mastodon anew, and judges it by its backups and by whose key it holds. */
export async function envTraces(
  world: Pick<World, 'envWriter' | 'setup'>,
  ownKeys: ReadonlySet<string>,
): Promise<EnvTrace[]> {
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  const files = await Promise.all(pathsOf(world.setup).map(readEnvFile))
  return Promise.all(
    files.map(async (file, index): Promise<EnvTrace> => {
      const role = index === 0 ? 'main' : index === 1 ? 'aside' : 'other'
      const clean: EnvRestoration = { is: 'clean' }
      if (role === 'other') return { role, file, restoration: clean }
      return { role, file, restoration: await judge(world, file, ownKeys) }
    }),
  )
}

/** The env file, the one prepared beside it, then all others that Mastodon reads. */
function pathsOf({ installation }: Setup): string[] {
  const { envFile, envFiles } = installation
  const known = [envFile.path, preparedPath(envFile)]
  return [...known, ...envFiles.map(({ path }) => path).filter((path) => !known.includes(path))]
}

async function judge(
  { setup, envWriter }: Pick<World, 'envWriter' | 'setup'>,
  file: EnvFileOnDisk,
  ownKeys: ReadonlySet<string>,
): Promise<EnvRestoration> {
  const [{ findBackups }, { restoreLines }, { readStatements }] = await Promise.all([
    import('../services/mastodon/backups.ts'),
    import('../services/mastodon/restore-lines.ts'),
    import('../services/mastodon/env-text.ts'),
  ])
  const settings = (text: string) => {
    const active = readStatements(text).filter((statement) => statement.active)
    return new Map(active.map(({ key, value }) => [key, { value }]))
  }
  const lines = { settings, restore: restoreLines }
  const backups = await findBackups(file.realPath)
  return envRestoration({ setup, envWriter, lines, file, backups, ownKeys })
}
