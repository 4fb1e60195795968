import { servicesOf } from '../flow/services-of.ts'
import { linesOf } from '../setup/run-placed.ts'
import { otherStageLine } from './line.ts'
import type { MigrateRun, PreparedMigration } from './prepare.ts'

/** A cut-over that was killed may have left Sidekiq at rest, and then nothing federates. */
export async function tellResting(
  run: MigrateRun,
  { installation }: PreparedMigration,
): Promise<void> {
  const { commands, sidekiq } = await servicesOf(run, installation)
  if (!commands || !(await sidekiq())?.some(({ quiet }) => quiet)) return
  run.ui.warn(
    `Sidekiq rests and takes no jobs, since a cut-over that was cut off. To go on with that: ${otherStageLine(run, 'cutover')}. To wake Sidekiq instead: ${linesOf(commands.wake)}`,
  )
}
