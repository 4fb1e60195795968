import { unlessStopped } from '../core/clock.ts'
import { carryOut } from '../flow/carry-out.ts'
import { session } from '../flow/flow.ts'
import { settingsOf } from '../flow/session.ts'
import { servicesOf } from '../flow/world.ts'
import type { Command } from '../host.ts'
import { variantOf, WAIT_JOBS_MS } from '../moving/quiet.ts'
import type { PlaceWorld, StepIn } from '../plan/step.ts'
import { replay } from '../settings/replay.ts'
import { runsWithSettings } from '../setup/restart.ts'
import { leaveClosing } from './closing.ts'
import { compareSides, survey } from './compare.ts'
import { copyThere } from './copy.ts'
import { cutoverSteps, provedFirst } from './cutover.ts'
import type { Switching } from './env-switch.ts'
import { lineOf } from './line.ts'
import { type LeaveRun, type PreparedLeave, prepareLeave } from './prepare.ts'
import { leaveRedirects, newBase } from './redirects.ts'
import { type LeaveStage, leaveCatalog, leaveFlags } from './settings.ts'

/** The way out: the media of a server that is on R2 comes to its disk, or goes on, a stage at a time. */
export const leave: Command = {
  run: (host, argv) => {
    const spec = { name: 'leave', catalog: leaveCatalog, accepts: leaveFlags }
    return session(host, argv, spec, async (run, draft) => {
      const { settings } = run
      const stage = settings.need('stage')
      settings.need('to')
      wishedVariant(run)
      const prepared = await unlessStopped(host.interrupted, prepareLeave(run, stage))
      const { at } = prepared
      const again = lineOf(settings, stage, replay)
      const { steps, world } =
        stage === 'redirects'
          ? await unlessStopped(host.interrupted, leaveRedirects(run, prepared))
          : { steps: await stepsOf(run, prepared, stage), world: prepared.world }
      const ends = {
        ...{ at, stage, again, mediaHost: prepared.mediaHost },
        base: stage === 'redirects' ? newBase(prepared) : '',
        undo: settings.on('undo'),
        unfinished:
          at.isSwitched && (await runsWithSettings(at.installation, prepared.world)).is !== 'fresh',
      }
      return carryOut(
        run,
        {
          world,
          steps,
          planTitle: `Plan: ${stage}`,
          shown: ['stage', 'to'],
          again,
          closing: (ended) => leaveClosing(ended, ends),
        },
        { ...draft, settings: settingsOf(settings) },
      )
    })
  },
}

async function stepsOf(
  run: LeaveRun,
  { at, provider }: PreparedLeave,
  stage: LeaveStage,
): Promise<readonly StepIn<PlaceWorld>[]> {
  const { settings } = run
  const { installation } = at
  if (stage === 'cutover') {
    const { readEnvFile } = await import('../services/mastodon/env-read.ts')
    const switching: Switching = {
      variant: wishedVariant(run),
      services: await servicesOf(run, installation),
      waitJobsMs: WAIT_JOBS_MS,
      readEnvFile: () => readEnvFile(installation.envFile.path),
    }
    return cutoverSteps(at, switching, provider)
  }
  if (stage === 'survey') return [survey(at)]
  if (stage === 'copy') return [...provedFirst(provider, at.rclone), copyThere(at)]
  return [compareSides(at, { checksum: settings.on('checksum') })]
}

function wishedVariant({ settings }: LeaveRun) {
  return variantOf({ stop: settings.on('stop'), noDowntime: settings.on('noDowntime') })
}
