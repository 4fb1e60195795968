import { prose, type Text, toType } from '../../core/to-type.ts'
import type { Finding, Step, StepIn, World } from '../../plan/step.ts'
import { factsOf, lookAt, type Plan } from '../../plan/survey.ts'
import type { Checked, Severity } from '../../plan/verdict.ts'
import { permissionNames } from '../../services/cloudflare/port.ts'
import { keyInUse } from '../../setup/access-keys.ts'
import { devUrl, lifecycle } from '../../setup/bucket.ts'
import { cors } from '../../setup/cors.ts'
import { keepRule } from '../../setup/edge.ts'
import { recommended } from '../../setup/edge-rules.ts'
import { readsAlone } from '../../setup/token.ts'
import { mendOf } from './edits.ts'

/** Cloudflare's side as the checks saw it. */
export interface CloudflareSeen {
  readonly world: World
  readonly plan: Plan
}

type FixedAt = Pick<World, 'facts'>

/** What a step is in the plan for, by its id: the worst first, in the words of the check. */
export type Reasons = ReadonlyMap<string, string>

/** The worst comes first; what is no more than advice comes last, and is called that. */
const WORDS: Partial<Record<Severity, string>> = {
  fault: 'a fault',
  warning: 'a warning',
  note: 'advice, no fault',
}

/** Why each step of the setup is wished for, in the order in which they are to be told. */
export function reasonsOf(found: readonly Checked[]): Reasons {
  const reasons = new Map<string, string>()
  for (const [severity, word] of Object.entries(WORDS)) {
    for (const one of found) {
      const mend = mendOf(one)
      if (one.verdict.severity !== severity || mend?.is !== 'steps') continue
      for (const id of mend.ids) {
        if (!reasons.has(id)) reasons.set(id, `${word}: ${one.title}`)
      }
    }
  }
  return reasons
}

export interface StepsThere {
  readonly steps: readonly StepIn<FixedAt>[]
  /** Why a step that was asked for is not among them, by its id. */
  readonly refused: ReadonlyMap<string, Text>
}

/** Of the bucket: "Workers R2 Storage" with the right to write. */
const ofBucket: readonly Step[] = [cors, lifecycle, devUrl]

/** Fresh steps of the setup for these ids, as far as the token can carry them out. */
export async function stepsThere(
  reasons: Reasons,
  seen: CloudflareSeen | undefined,
): Promise<StepsThere> {
  if (seen === undefined) {
    const why = prose`Cloudflare was not asked: give an API token with "${permissionNames.r2}" (for rules of the zone others, too) in CLOUDFLARE_API_TOKEN: ${toType('check', { fix: true })}`
    return { steps: [], refused: new Map([...reasons.keys()].map((id) => [id, why])) }
  }
  const known = Object.assign({}, ...seen.plan.items.map(({ finding }) => factsOf(finding)))
  const world: World = { ...seen.world, facts: { ...seen.world.facts, ...known } }
  const all = [...ofBucket, ...recommended.map(keepRule), keyInUse]
  const wished = [...reasons.keys()].flatMap((id) => all.find((step) => step.id === id) ?? [])
  const readsOnly = await readsAlone(world, 'r2')
  const steps: StepIn<FixedAt>[] = []
  const refused = new Map<string, Text>()
  for (const step of wished) {
    const why =
      readsOnly && ofBucket.includes(step)
        ? `the API token lacks "${permissionNames.r2}"`
        : whyNot(await lookAt(step, world))
    if (why === undefined) steps.push(inWorld(step, world, reasons.get(step.id)))
    else refused.set(step.id, why)
  }
  return { steps, refused }
}

function whyNot(finding: Finding): Text | undefined {
  switch (finding.is) {
    case 'change':
      return undefined
    case 'ready':
      return prose`Cloudflare has it already (${finding.note})`
    case 'later':
      return finding.next === '' ? finding.note : prose`${finding.note}. ${finding.next}`
    case 'blocked':
      return prose`${finding.problem.what} ${finding.problem.next}`
    case 'waiting':
      return 'something else of the setup is missing before it'
  }
}

/** The step in the world that it was looked at in, with what this run learns; its plan says why. */
function inWorld(step: Step, world: World, reason = ''): StepIn<FixedAt> {
  const at = ({ facts }: FixedAt): World => ({ ...world, facts: { ...world.facts, ...facts } })
  const { id, title, look, change } = step
  return {
    id,
    title,
    look: async (now) => because(await look(at(now)), reason),
    ...(change && { change: (now) => change(at(now)) }),
  }
}

function because(finding: Finding, reason: string): Finding {
  if (finding.is !== 'change') return finding
  const changes = finding.changes.map((change) => ({
    ...change,
    what: `${change.what} (${reason})`,
  }))
  return { ...finding, changes }
}
