import { expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { purgeCache } from '../../src/purge/purge-cache.ts'
import type { Targets } from '../../src/purge/targets.ts'
import { FakeCloudflare, refusal } from '../fakes/fake-cloudflare.ts'
import { thrownBy } from '../services/cloudflare/api-stub.ts'

const zone = { id: 'z', name: 'example.com' }
const targets: Targets = {
  mediaHost: 'files.example.com',
  origin: 'https://social.example.com',
  places: [{ host: 'files.example.com', path: '/', zone }],
  present: [{ key: 'a/b.png', size: 1 }],
  absent: [],
  guessed: [],
  queries: [],
}

/** A world whose clock moves on when it sleeps, and whose web answers one after the other. */
function world(answers: readonly (readonly [status: number, headers: Record<string, string>])[]) {
  let now = 1_000_000
  const waiting = [...answers]
  const last = answers.at(-1)
  const cloudflare = new FakeCloudflare()
  return {
    cloudflare,
    clock: {
      now: () => new Date(now),
      sleep: async (ms: number) => {
        now += ms
      },
      randomHex: () => '',
    },
    web: {
      fetch: async () => {
        const [status, headers] = waiting.shift() ?? last ?? [200, {}]
        const header = (name: string) => (headers[name] === undefined ? [] : [headers[name]])
        return { status, header, body: new Uint8Array() }
      },
      addresses: async () => [],
      certificate: async () => Promise.reject(new Error('Nobody asks.')),
    },
  }
}

const hit = (age = 1_000_000) => [200, { 'cf-cache-status': 'HIT', age: String(age) }] as const
const miss = [200, { 'cf-cache-status': 'MISS' }] as const
const none = [404, {}] as const

async function carriedOut(deleted: boolean, answers: Parameters<typeof world>[0]) {
  const at = world(answers)
  const { step, proofs } = purgeCache(targets, { deleted })
  await step.change?.(at)
  return { finding: await step.confirm?.(at, () => undefined), proofs, at }
}

test.each([
  ['a miss is a proof', false, [miss]],
  ['what was kept for a moment is asked for again', false, [hit(), hit(), miss]],
  ['a copy that is younger than the purge is a new one', false, [hit(0)]],
  ['gone is 404', true, [none]],
  ['gone, once the purge has reached this place', true, [hit(), none]],
] as const)('%s', async (_, deleted, answers) => {
  const { finding, proofs, at } = await carriedOut(deleted, answers)
  expect(finding?.is).toBe('ready')
  expect(proofs).toHaveLength(1)
  expect(at.cloudflare.writes).toEqual([
    'purge z https://files.example.com/a/b.png http://files.example.com/a/b.png',
    'purge z https://files.example.com/a/b.png https://social.example.com',
    'purge below z files.example.com/a/b.png',
  ])
})

test.each([
  ['a copy that never goes', false, [hit()], 'still-in-cache'],
  ['a copy that stays although the file is gone', true, [hit()], 'still-in-cache'],
  ['a file that comes from elsewhere', true, [miss], 'still-served'],
] as const)('%s is said', async (_, deleted, answers, code) => {
  expect((await thrownBy(carriedOut(deleted, answers))).code).toBe(code)
})

test('no purge by folder: what may be left is said, and the rest is done', async () => {
  const at = world([miss])
  at.cloudflare.purgePrefixes = async () => {
    throw refusal('cloudflare-1134')
  }
  const { step } = purgeCache(targets, { deleted: false })
  await step.change?.(at)
  const finding = await step.confirm?.(at, () => undefined)
  expect(finding).toMatchObject({
    is: 'ready',
    warnings: [expect.stringContaining('query strings')],
  })
})

test('a token without the permission', async () => {
  const at = world([miss])
  at.cloudflare.purgeUrls = async () => {
    throw new Problem({ code: 'cloudflare-9109', what: 'No.', why: 'No.', next: 'No.' })
  }
  const { purge } = purgeCache(targets, { deleted: true })
  expect((await thrownBy(purge(at))).code).toBe('purge-permission')
})
