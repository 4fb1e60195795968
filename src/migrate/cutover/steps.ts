import { Problem } from '../../core/problem.ts'
import { servicesOf } from '../../flow/world.ts'
import { uploadProbe } from '../../setup/proof.ts'
import { publicRead } from '../../setup/public-read.ts'
import { freshProcesses, restart } from '../../setup/restart.ts'
import { comparing } from '../compare/stage.ts'
import { copyMedia } from '../copy/copy.ts'
import type { MigrateRun, PreparedMigration, PreparedStage } from '../migration.ts'
import { type Cutover, type CutoverVariant, restartFor, switched } from './cutover.ts'
import { envSwitchStep } from './env-switch.ts'
import { quietServices } from './quiet.ts'
import { readyToSwitch } from './ready.ts'

/** Milliseconds that Sidekiq gets to finish what it is at: a long video takes its time. */
const WAIT_JOBS_MS = 600_000

/** The switch as one plan: the order in which nothing is lost (see plan/cutover.ts). */
export async function cutoverSteps(
  run: MigrateRun,
  prepared: PreparedMigration,
): Promise<PreparedStage> {
  const { migration, installation } = prepared
  const maxLoss = run.settings.need('maxLoss')
  const cutover: Cutover = {
    variant: variantOf(run),
    services: await servicesOf(run, installation),
    readEnvFile: async () => {
      const { readEnvFile } = await import('../../services/mastodon/env-read.ts')
      return readEnvFile(installation.envFile.path)
    },
    bringBack: prepared.bringBack,
    maxLoss,
    waitJobsMs: WAIT_JOBS_MS,
  }
  const wishes = {
    mode: 'run',
    commands: restartFor(cutover),
    assumeRestarted: false,
    meanwhile: 'The env file is put back.',
    about: 'storage',
  } as const
  const { step, found, done } = await comparing(run, prepared, { after: 'mediaCopied', maxLoss })
  return {
    steps: [
      readyToSwitch(migration, cutover),
      copyMedia(migration, { round: 'catch-up', maxLoss }),
      quietServices(migration, cutover),
      copyMedia(migration, { round: 'last', maxLoss }),
      envSwitchStep(migration, cutover),
      restart(wishes),
      freshProcesses(wishes),
      uploadProbe,
      publicRead,
      switched(migration),
      copyMedia(migration, { round: 'after', maxLoss }),
      step,
    ],
    found,
    done,
  }
}

function variantOf({ settings }: MigrateRun): CutoverVariant {
  const [stop, noDowntime] = [settings.on('stop'), settings.on('noDowntime')]
  if (!stop || !noDowntime) return stop ? 'stop' : noDowntime ? 'no-downtime' : 'quiet'
  throw new Problem({
    code: 'cutover-contradiction',
    what: '--stop and --no-downtime exclude each other.',
    why: 'The one stops Mastodon during the switch, the other keeps all of it running.',
    next: 'Leave one of them out.',
    exit: 2,
  })
}
