import { describe, expect, it } from 'vitest'
import type { Facts } from '../../src/plan/step.ts'
import { survey } from '../../src/plan/survey.ts'
import { broken, emptyWorld, fakeStep } from '../fakes/fake-steps.ts'

const domain: Partial<Facts> = { domainActive: { attached: true } }

describe('survey', () => {
  it('looks at everything and changes nothing', async () => {
    const diary: string[] = []
    const plan = await survey(
      [fakeStep('a', diary), fakeStep('b', diary, { ready: true })],
      emptyWorld(),
    )
    expect(plan.items.map(({ finding }) => finding.is)).toEqual(['change', 'ready'])
    expect(diary).toEqual(['look a', 'look b'])
  })

  it('looks again at what waited for a fact that another look told', async () => {
    const diary: string[] = []
    const steps = [
      fakeStep('c', diary, { ready: true, waitsOn: 'keyProven' }),
      fakeStep('b', diary, { ready: true, waitsOn: 'domainActive', facts: { keyProven: true } }),
      fakeStep('a', diary, { ready: true, facts: domain }),
    ]
    const plan = await survey(steps, emptyWorld())
    expect(plan.items.map(({ finding }) => finding.is)).toEqual(['ready', 'ready', 'ready'])
  })

  it('a Problem while looking is a finding', async () => {
    const step = fakeStep('a', [], { look: () => Promise.reject(broken('no-net')) })
    const plan = await survey([step], emptyWorld())
    expect(plan.items[0]?.finding).toMatchObject({ is: 'blocked', problem: { code: 'no-net' } })
  })

  it('a bug while looking goes up', async () => {
    const step = fakeStep('a', [], { look: () => Promise.reject(new TypeError('x')) })
    await expect(survey([step], emptyWorld())).rejects.toThrow(TypeError)
  })
})
