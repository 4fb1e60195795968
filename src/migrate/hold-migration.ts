import { holdEnvFile } from '../flow/hold-env-file.ts'
import type { EnvFileOnDisk } from '../services/mastodon/port.ts'
import type { Stage } from '../settings/stages.ts'
import type { MigrateRun, PreparedMigration } from './prepare.ts'

/** The notes that this process keeps others from. */
const held = new Set<string>()

/**
 * Keeps a second migration to the same bucket away until this run ends, and whoever else would write
 * the env file; looks need no lock. Problems: `migration-running`, `checkpoint-not-writable`, `locked`.
 */
export async function holdMigration(
  run: MigrateRun,
  { migration, installation }: PreparedMigration,
  stage: Stage,
): Promise<void> {
  const { path } = migration.checkpoint
  const looksOnly = stage === 'survey' || (stage === 'compare' && !run.settings.on('removeExtras'))
  if (looksOnly || run.settings.on('dryRun')) return
  if (stage === 'announce' || stage === 'cutover') await holdEnv(run, installation.envFile)
  if (held.has(path)) return
  const { lockCheckpoint } = await import('../services/checkpoint/lock.ts')
  const who = { pid: run.host.pid, command: 'migrate' }
  const release = await lockCheckpoint(migration.checkpoint, who)
  run.atEnd.push(async () => {
    held.delete(path)
    await release()
  })
  held.add(path)
}

async function holdEnv(run: MigrateRun, file: EnvFileOnDisk): Promise<void> {
  if (held.has(file.realPath) || !(await holdEnvFile(run, file, { lookOnly: false }))) return
  held.add(file.realPath)
  run.atEnd.push(async () => void held.delete(file.realPath))
}
