import type { EnvFileOnDisk } from '../services/mastodon/port.ts'
import type { SetupCatalog } from '../settings/setup-catalog.ts'
import type { Run } from './flow.ts'

/**
 * Keeps other runs away from the env file until this one ends. Who writes nothing needs no lock: a
 * look, a dry run, a rehearsal, --print, or a file that this user may not write. Returns whether
 * the lock was taken. Problems: `locked`, `lock-not-writable`.
 */
export async function holdEnvFile(
  { host, settings, atEnd }: Run<SetupCatalog>,
  file: EnvFileOnDisk,
  { lookOnly }: { readonly lookOnly: boolean },
): Promise<boolean> {
  const writesNothing =
    lookOnly || settings.on('dryRun') || settings.on('print') || settings.on('sandbox')
  if (writesNothing || !file.writable) return false
  const { lockEnvFile } = await import('../services/mastodon/lock.ts')
  const [command = 'init'] = host.argv
  atEnd.push(await lockEnvFile(file, { pid: host.pid, command }))
  return true
}
