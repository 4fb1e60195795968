import { describe, expect, it } from 'vitest'
import { apply } from '../../src/plan/apply.ts'
import { leftToType, outcomeSteps, planSteps, planWarnings } from '../../src/plan/report.ts'
import { hasChanges, survey } from '../../src/plan/survey.ts'
import { planLines } from '../../src/ui/words.ts'
import { emptyWorld, fakeStep, silent } from '../fakes/fake-steps.ts'

const postponed = (id: string, diary: string[] = []) =>
  fakeStep(id, diary, {
    look: async () => ({ is: 'later', note: 'not from here', next: 'type this', warnings: ['w'] }),
  })

describe('a step that has to be left for a later run', () => {
  it('is no failure; what follows it still runs', async () => {
    const diary: string[] = []
    const steps = [postponed('a'), fakeStep('b', diary)]
    const applied = await apply(steps, emptyWorld(), silent())
    expect(applied.problem).toBeUndefined()
    expect(applied.outcomes.map(({ id, status, note }) => `${id} ${status} ${note}`)).toEqual([
      'a skipped not from here',
      'b changed b is there',
    ])
    expect(applied.warnings).toEqual(['w'])
    expect(leftToType(applied.outcomes)).toEqual(['type this'])
    expect(outcomeSteps(applied.outcomes, String)[0]).toEqual({
      id: 'a',
      title: 'A',
      status: 'skipped',
      note: 'not from here',
      changes: [],
    })
  })

  it('takes with it what waits for a fact that nobody tells then', async () => {
    const diary: string[] = []
    const steps = [postponed('a'), fakeStep('b', diary, { waitsOn: 'graceOver' })]
    const { outcomes, problem } = await apply(steps, emptyWorld(), silent())
    expect(problem).toBeUndefined()
    expect(outcomes[1]).toMatchObject({ status: 'skipped', note: 'waits for: A' })
    expect(diary).not.toContain('change b')
  })

  it('can turn up after a change, which stays listed', async () => {
    let looks = 0
    const step = fakeStep('a', [], {
      look: async () => {
        looks += 1
        return looks === 1
          ? { is: 'change', changes: [{ what: 'try', risk: 'safe' }] }
          : { is: 'later', note: 'half', next: '' }
      },
    })
    const { outcomes, problem } = await apply([step], emptyWorld(), silent())
    expect(problem).toBeUndefined()
    expect(outcomes[0]).toMatchObject({ status: 'skipped', note: 'half' })
    expect(outcomes[0]?.changes).toHaveLength(1)
    expect(leftToType(outcomes)).toEqual([])
  })

  it('is in the plan as skipped, and is no change', async () => {
    const plan = await survey([postponed('a')], emptyWorld())
    expect(hasChanges(plan)).toBe(false)
    expect(planSteps(plan, String)).toMatchObject([{ status: 'skipped', note: 'not from here' }])
    expect(planWarnings(plan, String)).toEqual(['w'])
    expect(planLines(plan, String)).toEqual([{ tone: 'skipped', text: 'A: not from here' }])
  })
})
