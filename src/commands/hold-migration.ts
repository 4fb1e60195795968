import type { Stage } from '../plan/migration.ts'
import type { MigrateRun, PreparedMigration } from './prepare-migration.ts'

const held = new WeakSet<MigrateRun>()

/**
 * Keeps a second migration to the same bucket away until this run ends; looks need no lock. Problems:
 * `migration-running`, `checkpoint-not-writable`.
 */
export async function holdMigration(
  run: MigrateRun,
  { migration }: PreparedMigration,
  stage: Stage,
): Promise<void> {
  const looksOnly = stage === 'survey' || (stage === 'compare' && !run.settings.on('removeExtras'))
  if (looksOnly || run.settings.on('dryRun') || held.has(run)) return
  const { lockCheckpoint } = await import('../services/checkpoint/lock.ts')
  const who = { pid: run.host.pid, command: 'migrate' }
  run.atEnd.push(await lockCheckpoint(migration.checkpoint, who))
  held.add(run)
}
