import { Problem } from '../../core/problem.ts'
import { servicesOf } from '../../flow/world.ts'
import { quietServices, restartFor, variantOf, WAIT_JOBS_MS } from '../../moving/quiet.ts'
import { envSwitch } from '../../setup/env-file.ts'
import { uploadProbe } from '../../setup/proof.ts'
import { publicRead } from '../../setup/public-read.ts'
import { freshProcesses, restart } from '../../setup/restart.ts'
import { comparing } from '../compare/stage.ts'
import { copyMedia } from '../copy/copy.ts'
import type { MigrateRun, PreparedMigration, PreparedStage } from '../migration.ts'
import { type Cutover, switched } from './cutover.ts'
import { envSwitchStep } from './env-switch.ts'
import { readyToSwitch } from './ready.ts'

/** The switch as one plan: the order in which nothing is lost (see plan/cutover.ts). */
export async function cutoverSteps(
  run: MigrateRun,
  prepared: PreparedMigration,
): Promise<PreparedStage> {
  const { migration, installation } = prepared
  const maxLoss = run.settings.need('maxLoss')
  const cutover: Cutover = {
    variant: variantOf({
      stop: run.settings.on('stop'),
      noDowntime: run.settings.on('noDowntime'),
    }),
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
      quietServices(migration, cutover, (at) => isSwitched(at, cutover)),
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

/** Whether the env file says already what the switch would write. */
export async function isSwitched(
  at: Parameters<typeof envSwitch>[0],
  { readEnvFile }: Pick<Cutover, 'readEnvFile'>,
): Promise<boolean> {
  const file = await readEnvFile()
  const edit = envSwitch(at, file)
  return !(edit instanceof Problem) && edit.text === file.text
}
