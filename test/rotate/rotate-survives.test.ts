import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Fault } from '../../src/sandbox/world.ts'
import { type Around, rotatingServer } from './rotating-server.ts'

const server = await rotatingServer()
afterAll(() => server.close())
beforeEach(() => {
  server.sandbox.faults.clear()
  server.unlock()
})

const inUse = /^active mastodon-r2 media files\.example\.com /

/** One key, in the env file, in use by every process; and it never was otherwise. */
function expectHealthy(seen: readonly string[]) {
  expect(seen).toEqual([])
  const keys = server.keys()
  expect(keys).toEqual([expect.stringMatching(inUse)])
  expect(server.sandbox.world.tokens[1]?.id).toBe(server.keyInFile().id)
  expect(server.held()).toEqual(server.keyInFile())
}

/** Notes every moment at which something does not work, after each outgoing call. */
function watch(seen: Set<string>, then: Around = (_, call) => call()): Around {
  return async (name, call) => {
    try {
      return await then(name, call)
    } finally {
      for (const fault of server.faults()) seen.add(`${fault} after ${name}`)
    }
  }
}

async function finish(seen: Set<string>) {
  server.sandbox.faults.clear()
  server.unlock()
  const { problem, outcomes } = await server.rotate(watch(seen))
  expect(problem?.what).toBeUndefined()
  expect(outcomes.filter(({ status }) => status === 'skipped')).toEqual([])
}

test('a rotation, and the calls that it makes', async () => {
  const calls: string[] = []
  const seen = new Set<string>()
  const before = server.keyInFile()
  const applied = await server.rotate(
    watch(seen, (name, call) => {
      calls.push(name)
      return call()
    }),
  )
  expect(applied.problem?.what).toBeUndefined()
  expect(server.keyInFile().id).not.toBe(before.id)
  expect(calls.filter((name) => /mint|rename|disable|revoke|env|runner/.test(name))).toEqual([
    'cloudflare.mintKey',
    'cloudflare.renameKey',
    'env.write',
    'cloudflare.renameKey',
    'runner.run',
    'cloudflare.disableKey',
    'cloudflare.revokeKey',
  ])
  expectHealthy([...seen])
})

test('the new key keeps the conditions of the old one', () => {
  const { condition } = server.sandbox.world.tokens[1] ?? {}
  expect(condition).toEqual({ request_ip: { in: ['127.0.0.0/8'] } })
})

interface Point {
  /** The nth call whose name fits. */
  readonly call: RegExp
  readonly nth: number
  /** Whether the call was carried out before the end. */
  readonly sent: boolean
}

/** The program is gone at a call: it was never sent, or its answer met nobody. */
function killedAt({ call: wanted, nth, sent }: Point): { around: Around; killed: Promise<void> } {
  let count = 0
  let isDead = false
  const never = new Promise<never>(() => undefined)
  let tell: () => void = () => undefined
  const killed = new Promise<void>((resolve) => {
    tell = resolve
  })
  const around: Around = async (name, call) => {
    if (isDead) return never
    if (wanted.test(name)) count += 1
    if (!wanted.test(name) || count !== nth) return call()
    isDead = true
    if (sent) await call().catch(() => undefined)
    tell()
    return never
  }
  return { around, killed }
}

const changes: [RegExp, number][] = [
  [/mintKey/, 1],
  [/renameKey/, 1],
  [/env\.write/, 1],
  [/renameKey/, 2],
  [/runner/, 1],
  [/disableKey/, 1],
  [/revokeKey/, 1],
]
const between: [RegExp, number][] = Array.from({ length: 12 }, (_, index) => [/./, index * 5 + 3])

describe('killed', () => {
  const points = [...changes, ...between].flatMap(([call, nth]) =>
    [false, true].map((sent) => ({ call, nth, sent })),
  )

  test.each(points)('at $call $nth, sent: $sent', { timeout: 30_000 }, async (point) => {
    const seen = new Set<string>()
    const { around, killed } = killedAt(point)
    await Promise.race([killed, server.rotate(watch(seen, around))])
    await finish(seen)
    expectHealthy([...seen])
  })

  test('twice in a row, each time later', { timeout: 30_000 }, async () => {
    const seen = new Set<string>()
    for (const call of [/renameKey/, /env\.write/, /runner/, /disableKey/, /revokeKey/]) {
      const { around, killed } = killedAt({ call, nth: 1, sent: true })
      await Promise.race([killed, server.rotate(watch(seen, around))])
      server.unlock()
    }
    await finish(seen)
    expectHealthy([...seen])
  })
})

const writes: readonly Omit<Fault, 'kind'>[] = [
  { side: 'api', method: 'POST', path: '/tokens' },
  { side: 'api', method: 'PUT', path: '/tokens/' },
  { side: 'api', method: 'PUT', path: '/tokens/', after: 1 },
  { side: 'api', method: 'PUT', path: '/tokens/', after: 2 },
  { side: 'api', method: 'DELETE', path: '/tokens/' },
]
type Strike = Pick<Fault, 'kind' | 'status' | 'times' | 'headers'>
const strikes: readonly Strike[] = [
  { kind: 'status', status: 401 },
  { kind: 'status', status: 403, times: 9 },
  { kind: 'status', status: 409 },
  { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  { kind: 'status', status: 500, times: 9 },
  { kind: 'reset' },
  { kind: 'reset', times: 9 },
  { kind: 'applied-then-reset' },
  { kind: 'applied-then-reset', times: 9 },
  { kind: 'malformed' },
  { kind: 'unsuccessful' },
]

async function struckBy(fault: Fault) {
  const seen = new Set<string>()
  server.sandbox.faults.add(fault)
  const { problem } = await server.rotate(watch(seen))
  if (problem) expect(problem.next).not.toBe('')
  await finish(seen)
  expectHealthy([...seen])
}

describe.each(writes)('$side $method $path $after', (where) => {
  test.each(strikes)('$kind $status $times', { timeout: 30_000 }, async (strike) => {
    await struckBy({ ...where, ...strike })
  })
})

test.each<Fault>([
  { side: 's3', method: 'PUT', kind: 'status', status: 403 },
  { side: 's3', method: 'PUT', kind: 'reset', times: 9 },
  { side: 's3', method: 'GET', kind: 'malformed' },
  { side: 's3', method: 'HEAD', kind: 'status', status: 500, times: 9 },
  { side: 'public', kind: 'status', status: 404 },
  { side: 'public', kind: 'reset', times: 99 },
])('$side $method $kind $status $times', { timeout: 30_000 }, struckBy)
