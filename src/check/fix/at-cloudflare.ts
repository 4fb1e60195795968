import { prose, type Text, toType } from '../../core/to-type.ts'
import type { Finding, Step, StepIn, World } from '../../plan/step.ts'
import { factsOf, lookAt, type Plan } from '../../plan/survey.ts'
import { permissionNames } from '../../services/cloudflare/port.ts'
import { keyInUse } from '../../setup/access-keys.ts'
import { devUrl, lifecycle } from '../../setup/bucket.ts'
import { cors } from '../../setup/cors.ts'
import { keepRule, recommended } from '../../setup/edge.ts'
import { readsAlone } from '../../setup/token.ts'

/** Cloudflare's side as the checks saw it. */
export interface CloudflareSeen {
  readonly world: World
  readonly plan: Plan
}

type FixedAt = Pick<World, 'facts'>

export interface StepsThere {
  readonly steps: readonly StepIn<FixedAt>[]
  /** Why a step that was asked for is not among them, by its id. */
  readonly refused: ReadonlyMap<string, Text>
}

/** Of the bucket: "Workers R2 Storage" with the right to write. */
const ofBucket: readonly Step[] = [cors, lifecycle, devUrl]

/** Fresh steps of the setup for these ids, as far as the token can carry them out. */
export async function stepsThere(
  ids: ReadonlySet<string>,
  seen: CloudflareSeen | undefined,
): Promise<StepsThere> {
  if (seen === undefined) {
    const why = prose`Cloudflare was not asked: give an API token with "${permissionNames.r2}" (for rules of the zone others, too) in CLOUDFLARE_API_TOKEN: ${toType('check', { fix: true })}`
    return { steps: [], refused: new Map([...ids].map((id) => [id, why])) }
  }
  const known = Object.assign({}, ...seen.plan.items.map(({ finding }) => factsOf(finding)))
  const world: World = { ...seen.world, facts: { ...seen.world.facts, ...known } }
  const wished = [...ofBucket, ...recommended.map(keepRule), keyInUse].filter(({ id }) =>
    ids.has(id),
  )
  const readsOnly = await readsAlone(world, 'r2')
  const steps: StepIn<FixedAt>[] = []
  const refused = new Map<string, Text>()
  for (const step of wished) {
    const why =
      readsOnly && ofBucket.includes(step)
        ? `the API token lacks "${permissionNames.r2}"`
        : whyNot(await lookAt(step, world))
    if (why === undefined) steps.push(inWorld(step, world))
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

/** The step in the world that it was looked at in, with what this run learns. */
function inWorld(step: Step, world: World): StepIn<FixedAt> {
  const at = ({ facts }: FixedAt): World => ({ ...world, facts: { ...world.facts, ...facts } })
  const { id, title, look, change } = step
  return {
    id,
    title,
    look: (now) => look(at(now)),
    ...(change && { change: (now) => change(at(now)) }),
  }
}
