import { toType } from '../core/to-type.ts'
import type { Prepared, Run } from '../flow/run.ts'
import type { TokenChoice } from '../flow/token.ts'
import { afterPrepareLine } from '../migrate/line.ts'
import type { Step } from '../plan/step.ts'
import { catalog, type SetupCatalog, shownSettings } from '../settings/catalog.ts'
import { replay } from '../settings/replay.ts'
import { initClosing } from '../setup/closing.ts'
import { edgeSteps } from '../setup/edge.ts'
import type { FirstLook } from '../setup/first-look.ts'
import { printBlock } from '../setup/formats.ts'
import { prepareSetup } from '../setup/prepare.ts'
import { publicRead } from '../setup/public-read.ts'
import { freshnessOf } from '../setup/restart.ts'
import { hostSteps, initSteps } from '../setup/steps.ts'
import { announceFirst } from './announce-first.ts'
import type { KeptRehearsal } from './rehearsal-menu.ts'

/** What `init` does behind its first question: connections, steps, and how the run ends. */
export async function prepareInit(
  run: Run<SetupCatalog>,
  {
    look,
    choice,
    kept,
  }: {
    readonly look: FirstLook
    readonly choice: TokenChoice
    readonly kept: KeptRehearsal | undefined
  },
): Promise<Prepared> {
  const { settings } = run
  const prepared = await prepareSetup(run, look, { lookOnly: false, choice })
  const { world, rehearsal, remembered } = prepared
  const isRehearsal = rehearsal !== undefined
  const announcing = settings.on('announce')
    ? await announceFirst(run, world, remembered)
    : undefined
  const steps = stepsOf(edgeSteps(settings.get('edge') ?? [], settings.get('edgeTtl')), announcing)
  const isHostChange = announcing?.isHostChange === true
  const again = replay('init', catalog, settings.entries())
  const format = settings.need('format')
  const { target } = world.setup
  const freshness =
    target.kind === 'file' && !isRehearsal
      ? await freshnessOf(target.file.path, world.processes)
      : undefined
  return {
    world,
    ...(await printBlock(format, world.setup, steps)),
    known: world.setup.token,
    planTitle: isRehearsal ? 'Plan (rehearsal)' : 'Plan',
    shown: shownSettings,
    again,
    closing: (ended) => {
      const goesOn = ended.facts.envWritten && !ended.report.problem
      if (kept && rehearsal && goesOn) {
        kept.standIn = { ...rehearsal.standIn, isKept: true }
        kept.forReal = run.render(toType('init'))
      }
      return initClosing({
        ...ended,
        setup: world.setup,
        again,
        isRehearsal,
        goesOn: kept?.standIn !== undefined,
        toMigrate: isRehearsal
          ? toType('migrate', { sandbox: true })
          : afterPrepareLine(settings.entries(), world.setup.installation.envFile.path, {
              isOnR2: remembered.storage === 'r2' && remembered.switchedOn,
            }),
        isHostChange,
        format,
        freshness,
      })
    },
  }
}

/**
 * Rules at Cloudflare's edge come before the public read, which proves that media passes them, and so
 * before Mastodon's settings; what is announced stands in those.
 */
function stepsOf(
  edge: readonly Step[],
  announcing: { readonly step: Step; readonly isHostChange: boolean } | undefined,
): readonly Step[] {
  const announced = announcing ? [announcing.step] : []
  if (announcing?.isHostChange) return [...hostSteps, ...announced, ...edge]
  const steps = initSteps.flatMap((step) => (step === publicRead ? [...edge, step] : [step]))
  return [...steps, ...announced]
}
