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

const calls: string[] = []

test('a rotation, and the calls that it makes', async () => {
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

/** The program is gone at a call: either it was never sent, or its answer met nobody. */
function killedAt(nth: number, sent: boolean): { around: Around; killed: Promise<void> } {
  let count = 0
  let isDead = false
  const never = new Promise<never>(() => undefined)
  let tell: () => void = () => undefined
  const killed = new Promise<void>((resolve) => {
    tell = resolve
  })
  const around: Around = async (_, call) => {
    if (isDead) return never
    count += 1
    if (count !== nth) return call()
    isDead = true
    if (sent) await call().catch(() => undefined)
    tell()
    return never
  }
  return { around, killed }
}

describe('killed', () => {
  const points = Array.from({ length: 60 }, (_, index) => index + 1)

  test.each(points)('at call %i, before and after it', { timeout: 30_000 }, async (nth) => {
    const isChange = /mint|rename|disable|revoke|env|runner/.test(calls[nth - 1] ?? '')
    // What only reads or probes leaves the same behind wherever it stops.
    if (!isChange && nth % 7 !== 0) return expect(calls.length).toBeLessThan(points.length)
    for (const sent of [false, true]) {
      const seen = new Set<string>()
      const { around, killed } = killedAt(nth, sent)
      await Promise.race([killed, server.rotate(watch(seen, around)).then(() => undefined)])
      await finish(seen)
      expectHealthy([...seen])
    }
  })
})

const writes: readonly Omit<Fault, 'kind'>[] = [
  { side: 'api', method: 'POST', path: '/tokens' },
  { side: 'api', method: 'PUT', path: '/tokens/' },
  { side: 'api', method: 'PUT', path: '/tokens/', after: 1 },
  { side: 'api', method: 'PUT', path: '/tokens/', after: 2 },
  { side: 'api', method: 'DELETE', path: '/tokens/' },
  { side: 's3', method: 'PUT' },
  { side: 'public', method: 'GET' },
]
const strikes: readonly Pick<Fault, 'kind' | 'status' | 'times' | 'headers'>[] = [
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

describe.each(writes)('$side $method $path $after', (where) => {
  test.each(strikes)('$kind $status $times', { timeout: 30_000 }, async (strike) => {
    const seen = new Set<string>()
    server.sandbox.faults.add({ ...where, ...strike })
    const { problem } = await server.rotate(watch(seen))
    if (problem) expect(problem.next).not.toBe('')
    await finish(seen)
    expectHealthy([...seen])
  })
})
