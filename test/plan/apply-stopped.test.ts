import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../src/core/problem.ts'
import { apply } from '../../src/plan/apply.ts'
import { outcomeSteps } from '../../src/plan/report.ts'
import type { Facts } from '../../src/plan/step.ts'
import { broken, emptyWorld, fakeStep, silent } from '../fakes/fake-steps.ts'

const domain: Partial<Facts> = { domainActive: { attached: true } }
const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('what was begun when a run stops', () => {
  it('Ctrl-C in a change: a part of it may be done', async () => {
    const copy = fakeStep('copy', [], { change: () => Promise.reject(new Cancelled()) })
    const applied = await apply([copy, fakeStep('cors', [])], emptyWorld(), silent())
    expect(applied.cancelled).toBe(true)
    expect(applied.outcomes).toMatchObject([
      { status: 'failed', note: 'stopped', unconfirmed: true },
      { status: 'skipped', note: 'not reached' },
    ])
  })

  it('a wait that ends well in spite of the stop is no longer unconfirmed', async () => {
    const stop = new AbortController()
    const wait = fakeStep('domain', [], {
      async confirm() {
        await tick()
        await tick()
        return { is: 'ready', note: 'active', facts: domain }
      },
    })
    const steps = [wait, fakeStep('cors', [], { during: () => stop.abort() })]
    const applied = await apply(steps, emptyWorld(), silent(), { signal: stop.signal })
    expect(applied.cancelled).toBe(true)
    expect(applied.outcomes[0]).toMatchObject({ status: 'changed', note: 'active' })
    expect(applied.outcomes[0]).not.toHaveProperty('unconfirmed')
  })

  it('a change that was stopped says how far it came, one that has ended does not', async () => {
    const stop = new AbortController()
    const steps = [
      fakeStep('a', [], { reached: () => 'all of it' }),
      fakeStep('b', [], {
        change: async () => {
          stop.abort()
          throw new Cancelled()
        },
        reached: () => '2 files copied',
      }),
    ]
    const { outcomes } = await apply(steps, emptyWorld(), silent(), { signal: stop.signal })
    expect(outcomeSteps(outcomes, String).map(({ note }) => note)).toEqual([
      'a is there',
      'stopped; 2 files copied (begun, not confirmed yet)',
    ])
  })

  it('a step can end a wait of its own', async () => {
    const over = AbortSignal.abort()
    const wait = fakeStep('a', [], {
      change: async ({ clock }) => clock.sleep(1000, over).then(() => ({})),
    })
    const applied = await apply([wait], emptyWorld(), silent())
    expect(applied.cancelled).toBe(true)
  })

  it('a failing step leaves a wait unconfirmed, and says so in the report', async () => {
    const wait = fakeStep('domain', [], {
      confirm: async ({ clock }) => {
        for (;;) await clock.sleep(1000)
      },
    })
    const bad = fakeStep('cors', [], { change: () => Promise.reject(broken('refused')) })
    const { outcomes } = await apply([wait, bad], emptyWorld(), silent())
    expect(outcomes[0]).toMatchObject({ status: 'changed', unconfirmed: true })
    expect(outcomeSteps(outcomes, String)[0]?.note).toBe('make domain (begun, not confirmed yet)')
  })
})
