import { Cancelled } from '../core/problem.ts'
import { toType } from '../core/to-type.ts'
import { flow } from '../flow/flow.ts'
import type { Command, Host } from '../host.ts'
import { afterPrepareLine } from '../migrate/line.ts'
import type { Step } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { hasSwitch } from '../settings/argv.ts'
import { catalog, shownSettings } from '../settings/catalog.ts'
import { replay } from '../settings/replay.ts'
import { initClosing } from '../setup/closing.ts'
import { edgeSteps } from '../setup/edge.ts'
import { printBlock } from '../setup/formats.ts'
import { prepareSetup } from '../setup/prepare.ts'
import { publicRead } from '../setup/public-read.ts'
import { freshnessOf } from '../setup/restart.ts'
import { hostSteps, initSteps } from '../setup/steps.ts'
import { announceFirst } from './announce-first.ts'
import { initMenu } from './menu.ts'
import { goOnRehearsing, isFollowed, type KeptRehearsal } from './rehearsal-menu.ts'

export const init: Command = {
  async run(host, argv) {
    if (hasSwitch(host, argv, catalog.rotate)) {
      const rest = argv.filter((word) => word !== '--rotate')
      return (await import('../rotate/rotate.ts')).rotate.run(host, rest)
    }
    const choice = await chosenWay(host, argv)
    if (choice === undefined) return 130
    if (choice.command === 'check') return (await import('../check/check.ts')).check.run(host, argv)
    if (choice.command === 'rotate')
      return (await import('../rotate/rotate.ts')).rotate.run(host, argv)
    if (isFollowed(host, choice.argv)) {
      return goOnRehearsing(host, choice.argv, (kept) => setUp(host, choice.argv, undefined, kept))
    }
    return setUp(host, choice.argv, choice.found)
  },
}

/** Undefined when the person left the menu. */
async function chosenWay(host: Host, argv: readonly string[]) {
  try {
    return await initMenu(host, argv)
  } catch (error) {
    if (error instanceof Cancelled) return undefined
    throw error
  }
}

function setUp(
  host: Host,
  argv: readonly string[],
  found?: Installation,
  kept?: KeptRehearsal,
): Promise<number> {
  return flow(host, argv, {
    name: 'init',
    catalog,
    async prepare(run) {
      const { settings } = run
      const { world, rehearsal, remembered } = await prepareSetup(
        kept ? { ...run, atEnd: kept.atEnd } : run,
        { lookOnly: false, found },
      )
      const isRehearsal = rehearsal !== undefined
      const announcing = settings.on('announce')
        ? await announceFirst(run, world, remembered)
        : undefined
      const steps = stepsOf(
        edgeSteps(settings.get('edge') ?? [], settings.get('edgeTtl')),
        announcing,
      )
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
    },
  })
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
