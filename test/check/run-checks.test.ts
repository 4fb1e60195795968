import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { runChecks } from '../../src/check/run.ts'
import { Cancelled } from '../../src/core/problem.ts'
import { reportChecks } from '../../src/plan/report.ts'
import { reportSchema } from '../../src/plan/report-schema.ts'
import type { Check, CheckArea, CheckWorld, Verdict } from '../../src/plan/verdict.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'

const sleep = (ms: number, signal?: AbortSignal) =>
  pause(ms, undefined, signal ? { signal } : {}).then(
    () => undefined,
    () => {
      throw new Cancelled()
    },
  )
const world = {
  clock: { now: () => new Date(), sleep, randomHex: () => '' },
} as never as CheckWorld

const words = { saw: 'seen', matters: 'because', next: 'do it' }
const verdictOf = (severity: Verdict['severity']): Verdict =>
  severity === 'ok' || severity === 'skipped' ? { severity, saw: 'seen' } : { severity, ...words }

function checkOf(id: string, look: Check['look'], more: Partial<Check> = {}): Check {
  return { id, about: 'storage', title: id, cost: 'look', look, ...more }
}
const gives = (id: string, severity: Verdict['severity'], about: CheckArea = 'storage') =>
  checkOf(id, async () => [verdictOf(severity)], { about })

describe('runChecks', () => {
  it('the worst come first, then by area, then in their own order', async () => {
    const checks = [
      gives('f', 'skipped'),
      gives('d', 'ok'),
      gives('e', 'ok', 'Cloudflare'),
      gives('c', 'note'),
      gives('b', 'warning'),
      gives('a2', 'fault', 'public web'),
      gives('a1', 'fault'),
      gives('a3', 'fault', 'public web'),
    ]
    const found = await runChecks(checks, world, { quick: false })
    expect(found.map(({ id }) => id)).toEqual(['a1', 'a2', 'a3', 'b', 'c', 'd', 'e', 'f'])
  })

  it('a Problem is a fault', async () => {
    const check = checkOf('x', () => Promise.reject(refusal('web-tls')))
    const [found] = await runChecks([check], world, { quick: false })
    expect(found?.verdict).toEqual({
      severity: 'fault',
      saw: 'web-tls.',
      matters: 'Refused.',
      next: 'Look at it.',
    })
  })

  it('a bug goes up, once the others have ended', async () => {
    let ended = false
    const slow = checkOf('slow', async () => {
      await pause(30)
      ended = true
      return []
    })
    const bug = checkOf('bug', () => Promise.reject(new TypeError('oh')))
    await expect(runChecks([bug, slow], world, { quick: false })).rejects.toThrow('oh')
    expect(ended).toBe(true)
  })

  it('what does not end is a fault, and holds nothing up', async () => {
    const stuck = checkOf('stuck', () => new Promise(() => {}))
    const found = await runChecks([stuck, gives('a', 'ok')], world, { quick: false, limitMs: 20 })
    expect(found.map(({ id, verdict }) => `${id} ${verdict.severity}`)).toEqual([
      'stuck fault',
      'a ok',
    ])
  })

  it('--quick leaves out what writes', async () => {
    const probe = checkOf('probe', () => Promise.reject(new Error('It wrote.')), { cost: 'probe' })
    const found = await runChecks([probe, gives('a', 'ok')], world, { quick: true })
    expect(found.map(({ id }) => id)).toEqual(['a'])
  })

  it('no check waits for another', async () => {
    const all = 60
    let begun = 0
    let release: () => void = () => undefined
    const allBegun = new Promise<void>((resolve) => {
      release = resolve
    })
    const check = checkOf('x', async () => {
      begun += 1
      if (begun === all) release()
      await allBegun
      return [verdictOf('ok')]
    })
    expect(await runChecks(Array(all).fill(check), world, { quick: false })).toHaveLength(all)
  })

  it('stops when the person does', async () => {
    const clock = { ...world.clock, sleep: () => Promise.reject(new Cancelled()) }
    const stuck = checkOf('stuck', () => new Promise(() => {}))
    const run = runChecks([stuck], { ...world, clock }, { quick: false })
    await expect(run).rejects.toBeInstanceOf(Cancelled)
  })
})

it('verdicts in the report are what its schema says', async () => {
  const found = await runChecks([gives('a', 'fault'), gives('b', 'ok')], world, { quick: false })
  const checks = reportChecks(found, String)
  expect(reportSchema.shape.checks.parse(checks)).toEqual([
    { id: 'a', about: 'storage', title: 'a', severity: 'fault', ...words },
    {
      id: 'b',
      about: 'storage',
      title: 'b',
      severity: 'ok',
      saw: 'seen',
      matters: null,
      next: null,
    },
  ])
})
