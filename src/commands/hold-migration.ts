import type { Stage } from '../plan/migration.ts'
import type { MigrateRun, PreparedMigration } from './prepare-migration.ts'

/** The notes that this process keeps others from. */
const held = new Set<string>()

/**
 * Keeps a second migration to the same bucket away until this run ends; looks need no lock. Problems:
 * `migration-running`, `checkpoint-not-writable`.
 */
export async function holdMigration(
  run: MigrateRun,
  { migration }: PreparedMigration,
  stage: Stage,
): Promise<void> {
  const { path } = migration.checkpoint
  const looksOnly = stage === 'survey' || (stage === 'compare' && !run.settings.on('removeExtras'))
  if (looksOnly || run.settings.on('dryRun') || held.has(path)) return
  const { lockCheckpoint } = await import('../services/checkpoint/lock.ts')
  const who = { pid: run.host.pid, command: 'migrate' }
  const release = await lockCheckpoint(migration.checkpoint, who)
  run.atEnd.push(async () => {
    held.delete(path)
    await release()
  })
  held.add(path)
}
