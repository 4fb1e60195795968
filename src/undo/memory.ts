import { Problem } from '../core/problem.ts'
import {
  findMastodonHere,
  isNowhere,
  nowhere,
  preparedPath,
  type Remembered,
  remember,
} from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import type { Setup, World } from '../plan/step.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import { type EnvRestoration, envRestoration } from '../setup/env-restoration.ts'
import type { EnvTrace } from '../setup/undoing.ts'

/**
 * Bucket and media host of the setup that is taken back: from the env file, the file prepared beside
 * it, or the newest backup that tells. Problems when nothing does: `nothing-to-undo`, and
 * `mastodon-not-found` without a Mastodon.
 */
export async function recallSetup(run: Run<SetupCatalog>): Promise<Installation> {
  const { settings } = run
  const installation = await findMastodonHere(run)
  const ownEndpoint = settings.get('s3EndpointUrl')
  const known = [
    remember(installation, ownEndpoint),
    ...(await olderSettings(installation)).map((settings) =>
      remember({ ...installation, settings }, ownEndpoint),
    ),
  ]
  const found = known.find(({ storage, mediaHost }) => storage === 'r2' && mediaHost !== undefined)
  if (found) offer(run, found)
  if (settings.get('mediaHost') === undefined) {
    throw isNowhere(installation, settings) ? nowhere() : nothing(installation.envFile)
  }
  return installation
}

/** What each place holds that may tell, the best one first. */
export async function olderSettings({
  envFile,
}: Installation): Promise<Installation['settings'][]> {
  const { railsSettings, readEnvFile } = await import('../services/mastodon/env-read.ts')
  const { findBackups } = await import('../services/mastodon/env-write.ts')
  const prepared = await readEnvFile(preparedPath(envFile))
  const backups = [
    ...(await findBackups(envFile.realPath)),
    ...(await findBackups(prepared.realPath)),
  ]
  return [prepared, ...backups].map((file) => railsSettings(new Map(), [file]))
}

function offer({ settings }: Run<SetupCatalog>, found: Remembered): void {
  const { mediaHost, bucket, accountId, jurisdiction } = found
  const isDefault = jurisdiction === 'default'
  const known = { mediaHost, bucket, accountId, ...(isDefault ? {} : { jurisdiction }) }
  for (const [name, value] of Object.entries(known)) {
    const setting = name as keyof typeof known
    if (value !== undefined && settings.get(setting) === undefined) {
      settings.offer(setting, value, found.from)
    }
  }
}

function nothing({ path }: EnvFileOnDisk): Problem {
  return new Problem({
    code: 'nothing-to-undo',
    what: 'There is nothing here to take back.',
    why: `Neither ${path} nor a backup beside it tells of a setup on R2.`,
    next: 'Name the env file with --mastodon-env, or the setup with --media-host and --bucket.',
    exit: 2,
  })
}

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
    import('../services/mastodon/env-write.ts'),
    import('../services/mastodon/env-edit.ts'),
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
