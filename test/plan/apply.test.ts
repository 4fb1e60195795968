import { describe, expect, it } from 'vitest'
import { apply } from '../../src/plan/apply.ts'
import type { Facts } from '../../src/plan/step.ts'
import { survey } from '../../src/plan/survey.ts'
import { broken, emptyWorld, fakeStep, silent } from './fake-steps.ts'

const statuses = (applied: Awaited<ReturnType<typeof apply>>) =>
  applied.outcomes.map(({ id, status }) => `${id} ${status}`)
const domain: Partial<Facts> = { domainActive: { attached: true } }
const tick = () => new Promise((resolve) => setImmediate(resolve))

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
    const applied = await apply(steps, emptyWorld(), silent(), stop.signal)
    expect(applied.cancelled).toBe(true)
    expect(diary).toContain('undo a')
    expect(diary).not.toContain('change b')
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
