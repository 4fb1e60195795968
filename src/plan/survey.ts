import { Problem } from '../core/problem.ts'
import type { Facts, Finding, Risk, StepIn, World } from './step.ts'

/** What a run would do: plain data, one item a step, in the order of the steps. */
export interface Plan {
  readonly items: readonly PlanItem[]
}

export interface PlanItem {
  readonly id: string
  readonly title: string
  readonly finding: Finding
}

/**
 * Looks at everything at the same time; looks are read-only, so their order doesn't matter. A step
 * that waits for a fact is looked at again as soon as another step's look has told it.
 */
export async function survey<At extends Pick<World, 'facts'>>(
  steps: readonly StepIn<At>[],
  world: At,
): Promise<Plan> {
  const facts: Partial<Facts> = { ...world.facts }
  const findings = new Map<StepIn<At>, Finding>()
  async function look(step: StepIn<At>): Promise<void> {
    findings.delete(step)
    const finding = await lookAt(step, { ...world, facts: { ...facts } })
    findings.set(step, finding)
    Object.assign(facts, factsOf(finding))
    const again = steps.filter((other) => {
      const seen = findings.get(other)
      return seen?.is === 'waiting' && facts[seen.on] !== undefined
    })
    await Promise.all(again.map(look))
  }
  await Promise.all(steps.map(look))
  const items = steps.map((step) => {
    const { id, title } = step
    return { id, title, finding: findings.get(step) as Finding }
  })
  return { items }
}

/** A Problem thrown while looking is a finding; anything else is a bug and goes up. */
export async function lookAt<At>(step: StepIn<At>, world: At): Promise<Finding> {
  try {
    return await step.look(world)
  } catch (error) {
    if (error instanceof Problem) return { is: 'blocked', problem: error }
    throw error
  }
}

export function factsOf(finding: Finding) {
  return finding.is === 'ready' ? finding.facts : undefined
}

export function blocked(plan: Plan): Problem | undefined {
  for (const { finding } of plan.items) if (finding.is === 'blocked') return finding.problem
  return undefined
}

export function hasChanges(plan: Plan): boolean {
  return plan.items.some(({ finding }) => finding.is === 'change' || finding.is === 'waiting')
}

export function risks(plan: Plan): Set<Risk> {
  const changes = plan.items.flatMap(({ finding }) =>
    finding.is === 'change' ? finding.changes : [],
  )
  return new Set(changes.map((change) => change.risk))
}
