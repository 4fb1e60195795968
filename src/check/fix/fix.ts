import { prose, type Text, type ToType, uniqueText } from '../../core/to-type.ts'
import { carryOut } from '../../flow/carry-out.ts'
import { holdEnvFile } from '../../flow/mastodon-here.ts'
import type { Ended, Run } from '../../flow/run.ts'
import { envWriterOf } from '../../flow/world.ts'
import { type Report, reportChecks } from '../../plan/report.ts'
import type { Checked, CheckWorld } from '../../plan/verdict.ts'
import { restartCommands } from '../../services/mastodon/service-control.ts'
import { replay } from '../../settings/replay.ts'
import { unfinished } from '../../setup/closing.ts'
import type { Closing } from '../../ui/port.ts'
import { openDoor } from '../areas/storage-door.ts'
import { troubled, verdictsInWords } from '../outcome.ts'
import { type CheckCatalog, checkFlags } from '../settings.ts'
import { checkWorld, findStorage } from '../world.ts'
import type { CloudflareSeen } from './at-cloudflare.ts'
import { checkAgain } from './check-again.ts'
import { mendOf } from './edits.ts'
import { type Mending, planMending } from './mending.ts'

export interface Examined {
  readonly world: CheckWorld
  readonly cloudflare: CloudflareSeen | undefined
  readonly found: readonly Checked[]
}

type Section = Closing['sections'][number]

/**
 * What `check` found put right, as far as that is safe: one plan, one yes, and all checks once more.
 * `again` makes them anew, from the settings as they are then. Undefined where there is nothing to plan.
 */
export async function fix(
  run: Run<CheckCatalog>,
  seen: Examined,
  draft: Report,
  again: () => Promise<readonly Checked[]>,
): Promise<number | undefined> {
  const { settings, render } = run
  const { installation } = seen.world
  const envWriter = await envWriterOf(run)
  const mending = await planMending(
    {
      installation,
      envReader: seen.world.envReader,
      envWriter,
      cloudflare: seen.cloudflare,
      shutWith: async (after) => {
        const { storage } = findStorage(settings, after)
        const door = await openDoor(await checkWorld(run, after, storage))
        return door.is === 'shut' ? door.because : undefined
      },
    },
    seen.found,
  )
  if (mending.steps.length === 0) return undefined
  for (const file of mending.files) await holdEnvFile(run, file, { lookOnly: false })
  const awaited = new Set(
    seen.found
      .filter((one) => mending.isMended(one) && mendOf(one)?.is === 'steps')
      .map(({ id }) => id),
  )
  const proof = checkAgain(again, (one) => awaited.has(one.id) && mendOf(one)?.is === 'steps')
  const line = replay('check', checkFlags, settings.entries())
  const left = () => proof.found() ?? seen.found.filter((one) => !mending.isMended(one))
  const isFaulty = () => left().some(({ verdict }) => verdict.severity === 'fault')
  const code = await carryOut(
    run,
    {
      world: { clock: run.clock, envWriter, facts: {} },
      steps: [...mending.steps, proof.step],
      planTitle: 'What can be put right safely',
      shown: [],
      again: line,
      closing: (ended) => closingOf(ended, { run, seen, mending, left: left(), line }),
      details: () => ({
        checks: reportChecks(proof.found() ?? seen.found, render),
        ...(settings.on('dryRun') && isFaulty() && { ok: false }),
        ...(proof.found() && { next: nextLines(left()).map(render) }),
      }),
    },
    draft,
  )
  return code === 0 && isFaulty() ? 1 : code
}

/** What can't be put right safely, or was not: each with the line to type. */
function leftToYou(mending: Pick<Mending, 'whyNot'>, found: readonly Checked[]): Section[] {
  const lines = troubled(found).flatMap((one): Text[] => {
    const why = mending.whyNot(one)
    const { title, verdict } = one
    const isNamed = String(verdict.saw).startsWith(title)
    return [
      isNamed ? verdict.saw : prose`${title}: ${verdict.saw}`,
      ...(why === undefined ? [] : [prose`Not put right here: ${why}.`]),
      ...('next' in verdict ? [verdict.next] : []),
    ]
  })
  return lines.length === 0 ? [] : [{ title: 'Left to you', lines }]
}

interface Known {
  readonly run: Run<CheckCatalog>
  readonly seen: Examined
  readonly mending: Mending
  readonly left: readonly Checked[]
  readonly line: ToType
}

function closingOf(ended: Ended, known: Known): Closing {
  const { report, facts } = ended
  const { left, line, mending } = known
  if (report.dryRun && !report.problem) {
    const carryItOut = { title: 'To carry it out', lines: [prose`  ${line}`] }
    return {
      headline: 'That is the plan. Nothing was changed.',
      sections: [carryItOut, ...leftToYou(mending, left)],
    }
  }
  const isDone = report.problem === null || report.problem.code === 'faults-left'
  if (!isDone) {
    const goOn = { title: 'To go on from here', lines: [prose`  ${line}`] }
    return { headline: unfinished({ report }), sections: [goOn] }
  }
  return {
    headline: `What was planned is done. ${verdictsInWords(left)}`,
    sections: [...written(facts), ...restartOf(ended, known), ...leftToYou(mending, left)],
  }
}

function written({ envWritten }: Ended['facts']): Section[] {
  if (!envWritten || envWritten.diff.length === 0) return []
  const lines = envWritten.diff.map((one) => `  ${one}`)
  const backup = envWritten.backup === undefined ? [] : [`As it was: ${envWritten.backup}`]
  return [{ title: `Changed in ${envWritten.file}`, lines: [...lines, ...backup] }]
}

/** Where the checks can't see whether Mastodon has read the file. */
function restartOf({ facts }: Ended, { run, seen, left }: Known): Section[] {
  const isSeen = left.some(
    ({ id, verdict }) => id === 'running-settings' && verdict.severity !== 'skipped',
  )
  if (!facts.envWritten || isSeen) return []
  const { installation } = seen.world
  const commands = restartCommands(installation, { asRoot: run.host.userId === 0 })
  const lines =
    commands.length === 0
      ? ['Restart Mastodon, web and every Sidekiq: it reads its settings at the start only.']
      : commands.map((one) => `  ${one.line}`)
  return [{ title: 'Restart Mastodon, so that it uses them', lines }]
}

function nextLines(found: readonly Checked[]): Text[] {
  return uniqueText(
    troubled(found).flatMap(({ verdict }) => ('next' in verdict ? [verdict.next] : [])),
  )
}
