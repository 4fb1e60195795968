import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../src/core/problem.ts'
import { apply } from '../../src/plan/apply.ts'
import type { Facts } from '../../src/plan/step.ts'
import { broken, emptyWorld, fakeStep, silent } from '../fakes/fake-steps.ts'

const statuses = (applied: Awaited<ReturnType<typeof apply>>) =>
  applied.outcomes.map(({ id, status }) => `${id} ${status}`)
const domain: Partial<Facts> = { domainActive: { attached: true } }
const tick = () => new Promise((resolve) => setImmediate(resolve))

describe('apply', () => {
  it('carries out in order, leaves alone what is ready, looks whether it took', async () => {
    const diary: string[] = []
    const steps = [
      fakeStep('a', diary),
      fakeStep('b', diary, { ready: true }),
      fakeStep('c', diary),
    ]
    const applied = await apply(steps, emptyWorld(), silent())
    expect(statuses(applied)).toEqual(['a changed', 'b ready', 'c changed'])
    expect(diary).toEqual([
      'look a',
      'change a',
      'look a',
      'look b',
      'look c',
      'change c',
      'look c',
    ])
    expect(applied.problem).toBeUndefined()
  })

  it('a change that does not show is a failure, and later steps are skipped', async () => {
    const steps = [fakeStep('a', [], { change: async () => ({}) }), fakeStep('b', [])]
    const applied = await apply(steps, emptyWorld(), silent())
    expect(statuses(applied)).toEqual(['a failed', 'b skipped'])
    expect(applied.problem?.code).toBe('a-did-not-take')
  })

  it('a long wait runs beside the steps that follow', async () => {
    const diary: string[] = []
    const wait = fakeStep('domain', diary, {
      async confirm({ clock }, tell) {
        for (let i = 0; i < 5; i++) {
          tell('pending')
          await clock.sleep(1000)
        }
        diary.push('domain active')
        return { is: 'ready', note: 'active', facts: domain }
      },
    })
    const steps = [
      wait,
      fakeStep('cors', diary),
      fakeStep('read', diary, { waitsOn: 'domainActive' }),
    ]
    const applied = await apply(steps, emptyWorld(), silent())
    expect(statuses(applied)).toEqual(['domain changed', 'cors changed', 'read changed'])
    expect(diary.indexOf('change cors')).toBeLessThan(diary.indexOf('domain active'))
    expect(diary.indexOf('change read')).toBeGreaterThan(diary.indexOf('domain active'))
  })

  it('a wait that fails stops what comes after it', async () => {
    const slow = fakeStep('domain', [], {
      confirm: async () => ({ is: 'blocked', problem: broken('too-slow') }),
    })
    const applied = await apply(
      [slow, fakeStep('read', [], { waitsOn: 'domainActive' })],
      emptyWorld(),
      silent(),
    )
    expect(statuses(applied)).toEqual(['domain failed', 'read skipped'])
    expect(applied.problem?.code).toBe('too-slow')
  })

  it('a failing step ends the wait that runs beside it', async () => {
    let polls = 0
    const endless = fakeStep('domain', [], {
      async confirm({ clock }) {
        for (;;) {
          polls++
          await clock.sleep(1000)
        }
      },
    })
    const bad = fakeStep('cors', [], { change: () => Promise.reject(broken('refused')) })
    const applied = await apply([endless, bad], emptyWorld(), silent())
    const before = polls
    await tick()
    expect(polls).toBe(before)
    expect([applied.problem?.code, applied.cancelled]).toEqual(['refused', false])
  })

  it('takes back in reverse order what could not be found again', async () => {
    const diary: string[] = []
    const undo = (id: string) => async () => {
      diary.push(`undo ${id}`)
      return `${id} removed`
    }
    const steps = [
      fakeStep('a', [], { undo: undo('a') }),
      fakeStep('b', [], { undo: undo('b') }),
      fakeStep('c', [], { change: () => Promise.reject(broken('full-disk')) }),
    ]
    const applied = await apply(steps, emptyWorld(), silent())
    expect(diary).toEqual(['undo b', 'undo a'])
    expect(applied.outcomes[0]).toMatchObject({ status: 'skipped', note: 'a removed' })
    expect(applied.problem?.code).toBe('full-disk')
  })

  it('an undo that fails is said, and does not hide the first problem', async () => {
    const steps = [
      fakeStep('key', [], { undo: () => Promise.reject(broken('revoke-refused')) }),
      fakeStep('file', [], { change: () => Promise.reject(broken('full-disk')) }),
    ]
    const applied = await apply(steps, emptyWorld(), silent())
    expect(applied.problem?.code).toBe('full-disk')
    expect(applied.outcomes[0]).toMatchObject({ status: 'failed' })
    expect(applied.outcomes[0]?.note).toContain('revoke-refused')
  })

  it('Ctrl-C stops before the next step and takes back', async () => {
    const stop = new AbortController()
    const diary: string[] = []
    const steps = [
      fakeStep('a', diary, {
        during: () => stop.abort(),
        async undo() {
          diary.push('undo a')
          return undefined
        },
      }),
      fakeStep('b', diary),
    ]
    const applied = await apply(steps, emptyWorld(), silent(), { signal: stop.signal })
    expect(applied.cancelled).toBe(true)
    expect(diary).toContain('undo a')
    expect(diary).not.toContain('change b')
  })

  it.each([
    ['while later steps run', [fakeStep('cors', [])]],
    ['while nothing else is left', []],
  ])('Ctrl-C in a wait: begun, and not confirmed (%s)', async (_, later) => {
    const stop = new AbortController()
    const wait = fakeStep('domain', [], {
      async confirm() {
        await tick()
        stop.abort()
        throw new Cancelled()
      },
    })
    const applied = await apply([wait, ...later], emptyWorld(), silent(), { signal: stop.signal })
    expect(applied.cancelled).toBe(true)
    expect(applied.outcomes[0]).toMatchObject({ status: 'changed', unconfirmed: true })
  })

  it('warnings are told once, those of a change too', async () => {
    const warned = (id: string, warnings: string[]) =>
      fakeStep(id, [], { look: async () => ({ is: 'ready', note: 'fine', warnings }) })
    const steps = [warned('a', ['open to all', 'old']), warned('b', ['old'])]
    const { warnings } = await apply(steps, emptyWorld(), silent())
    expect(warnings).toEqual(['open to all', 'old'])
  })

  it('tells what begins, what it waits for, and how it ended', async () => {
    const told: string[] = []
    const wait = fakeStep('domain', [], {
      async confirm(_, tell) {
        tell('pending')
        return { is: 'ready', note: 'active', facts: domain }
      },
    })
    await apply([wait, fakeStep('b', [], { ready: true })], emptyWorld(), silent(told))
    expect([...told].sort()).toEqual(['b ready', 'domain changed', 'domain: pending'])
  })

  it('waiting for what no step tells is a bug, not a hang', async () => {
    const steps = [fakeStep('a', [], { waitsOn: 'publicProven' })]
    await expect(apply(steps, emptyWorld(), silent())).rejects.toThrow('publicProven')
  })

  it('a bug goes up, after what was made has been taken back', async () => {
    const diary: string[] = []
    const steps = [
      fakeStep('a', diary, { undo: async () => void diary.push('undo a') as undefined }),
      fakeStep('b', diary, { change: () => Promise.reject(new TypeError('bug')) }),
    ]
    await expect(apply(steps, emptyWorld(), silent())).rejects.toThrow('bug')
    expect(diary).toContain('undo a')
  })
})
