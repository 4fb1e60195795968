import { randomBytes } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { parseConnectTo } from '../../src/core/connect-to.ts'
import { Secret } from '../../src/core/secret.ts'
import { apply } from '../../src/plan/apply.ts'
import type { Step, World } from '../../src/plan/step.ts'
import { bulkRedirects } from '../../src/redirects/bulk.ts'
import { dropBulkRedirects, dropSingleRedirects } from '../../src/redirects/drop.ts'
import { knownMedia, knownMediaIsPublic } from '../../src/redirects/known-media.ts'
import type { Redirecting } from '../../src/redirects/redirecting.ts'
import { singleRedirect } from '../../src/redirects/single.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../src/services/cloudflare/client.ts'
import { connectPublicWeb } from '../../src/services/public-web/client.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { setupOf, worldOf } from '../fakes/fake-world.ts'
import { lendEmulator } from '../fakes/lent-emulator.ts'
import { bucketWithKey } from '../sandbox/mastodon/running.ts'
import { type Kind, kinds, requestsOf, type Strike, strikeAt, textOf } from './strike.ts'

const HOST = 'files.example.com'
const OLD = { host: 'social.example.com', path: '/system/' }
const KEY = 'accounts/avatars/1/a.png'
/** Of a run that is struck, and of all others: nothing hangs in these, and the machine may be busy. */
const [IMPATIENT_MS, PATIENT_MS] = [400, 20_000]

type Engine = 'single' | 'bulk'

async function redirectingServer() {
  const sandbox = await startSandbox({
    domainMs: 0,
    keyMs: 0,
    emulator: 'eager',
    startEmulator: () => lendEmulator(4),
    mastodon: { media: 1, bootMs: 50, node: process.execPath },
  })
  const { world: inside, accountId, apiUrl: baseUrl, bootstrapToken: token } = sandbox
  inside.edge.operationMs = 0
  const { credentials } = bucketWithKey(sandbox)
  const at = { accountId, bucket: 'media', jurisdiction: 'default' } as const
  const knownKey = {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: new Secret(credentials.secretAccessKey),
  }
  let offset = 0
  const sleep = async (ms: number) => {
    offset += ms
  }
  const connect = (timeoutMs: number) => {
    const place = { endpoint: sandbox.s3Url(), bucket: 'media', timeoutMs }
    return {
      cloudflare: connectCloudflare({ token, baseUrl, sleep, timeoutMs }),
      connectS3: (key: Parameters<World['connectS3']>[0]) =>
        connectS3({ ...place, key, pace: { sleep } }),
      web: connectPublicWeb({
        connectTo: sandbox.connectTo.flatMap((route) => parseConnectTo(route) ?? []),
        ca: sandbox.caPem,
        timeoutMs,
      }),
    }
  }
  const calm = connect(PATIENT_MS)
  const { cloudflare } = calm
  const zone = await cloudflare.findZone(HOST)
  if (!zone) throw new Error('There is no zone.')
  await cloudflare.attachCustomDomain(at, HOST, zone.id)
  const image = { contentType: 'image/png', cacheControl: 'public' }
  await calm.connectS3(knownKey).put(KEY, randomBytes(9), image)
  const zonePlace = { kind: 'zone', zoneId: zone.id } as const
  await cloudflare.addRule(zonePlace, 'http_request_dynamic_redirect', {
    ref: 'theirs',
    description: 'Theirs',
    expression: 'http.host eq "other.example.com"',
    action: 'redirect',
    parameters: { from_value: { target_url: { value: 'https://x.example/' }, status_code: 301 } },
    enabled: true,
  })
  const world: World = {
    ...worldOf(),
    ...calm,
    clock: {
      now: () => new Date(Date.now() + offset),
      sleep,
      randomHex: (length) => randomBytes(length).toString('hex').slice(0, length),
    },
    place: setupOf({ at, zone, mediaHost: HOST, knownKey }),
  }
  const steps = (engine: Engine): readonly Step[] => {
    const known = knownMedia(undefined)
    const redirecting: Redirecting = {
      mediaHost: HOST,
      status: 301,
      known,
      switchedOn: true,
      local: undefined,
    }
    const redirect =
      engine === 'single'
        ? singleRedirect(redirecting, OLD, zone)
        : bulkRedirects(redirecting, [OLD], accountId)
    return [knownMediaIsPublic(redirecting, { strict: true }), redirect]
  }
  const drops = () => {
    const wish = { mediaHost: HOST, only: undefined }
    return [dropSingleRedirects(wish, [zone]), dropBulkRedirects(wish, accountId)]
  }
  const quiet = { started: () => undefined, told: () => undefined, ended: () => undefined }
  const carryOut = (all: readonly Step[], strike: Strike | undefined) => {
    strikeAt(sandbox, strike)
    const at = strike ? { ...world, ...connect(IMPATIENT_MS) } : world
    return apply(all, at, quiet).finally(() => strikeAt(sandbox, undefined))
  }
  return {
    sandbox,
    make: (engine: Engine, strike?: Strike) => carryOut(steps(engine), strike),
    remove: (strike?: Strike) => carryOut(drops(), strike),
    /** Where an old address leads. */
    async leads() {
      const answer = await world.web.fetch(`https://${OLD.host}${OLD.path}${KEY}`)
      return [answer.status, answer.header('location')[0]]
    },
    state: () => ({
      rules: inside.edge.rulesets.flatMap(({ rules }) => rules.map(({ ref }) => ref)),
      items: inside.edge.lists.map(({ items }) => items.length),
    }),
    close: () => sandbox.close(),
  }
}

type Server = Awaited<ReturnType<typeof redirectingServer>>

const server = await redirectingServer()
afterAll(() => server.close())

const made = { single: 2, bulk: 2 } as const

async function requestsFor({ sandbox }: Server, run: () => Promise<unknown>) {
  const before = sandbox.log.length
  await run()
  return requestsOf(sandbox.log.slice(before))
}

/** Reads are many and alike, and what they meet is the clients' own matter. */
const forReads: readonly Kind[] = ['403', '500', 'malformed']

function strikesAt(requests: Awaited<ReturnType<typeof requestsFor>>): Strike[] {
  return requests.flatMap((request) => {
    const isWrite = request.side === 'api' && request.method !== 'GET'
    const all = isWrite ? (Object.keys(kinds) as Kind[]) : forReads
    return all.map((kind) => ({ ...request, kind, always: false }))
  })
}

/** Each strike, a run that meets it, and one that does not; faults are told all together. */
async function each(
  strikes: readonly Strike[],
  survive: (strike: Strike, nth: number) => Promise<void>,
) {
  const failures: string[] = []
  for (const [nth, strike] of strikes.entries()) {
    try {
      await survive(strike, nth)
    } catch (error) {
      failures.push(`${strike.kind} at ${strike.nth}. ${textOf(strike)}\n${String(error)}`)
      await server.remove()
    }
  }
  expect(failures.slice(0, 5)).toEqual([])
}

/** `--remove`, struck first where there is a strike left. */
async function isRemoved(strike: Strike | undefined) {
  if (strike !== undefined) await server.remove(strike)
  expect((await server.remove()).problem?.what, JSON.stringify(strike)).toBeUndefined()
  expect(server.state(), JSON.stringify(strike)).toEqual({ rules: ['theirs'], items: [] })
}

test.each(['single', 'bulk'] as const)(
  '%s: each request of a run and of --remove, each kind of fault: the next one finishes it',
  { timeout: 600_000 },
  async (engine) => {
    const strikes = strikesAt(await requestsFor(server, () => server.make(engine)))
    const removals = strikesAt(await requestsFor(server, () => server.remove()))
    expect(removals.length).toBeGreaterThan(15)
    // Each of them is met by what a run has made.
    expect(strikes.length).toBeGreaterThan(Math.max(50, removals.length))
    await each(strikes, async (strike, nth) => {
      const { problem } = await server.make(engine, strike)
      if (problem) expect(String(problem.next)).toMatch(/\S{3}/)
      expect(server.state().rules).toContain('theirs')
      const again = await server.make(engine)
      expect(again.problem?.what).toBeUndefined()
      expect(await server.leads()).toEqual([301, `https://${HOST}/${KEY}`])
      expect(server.state().rules.length).toBe(made[engine])
      await isRemoved(removals[nth])
    })
  },
)
