import { describe, expect, it } from 'vitest'
import { cloudflareChecks, unasked } from '../../../src/check/areas/cloudflare.ts'
import type { Finding } from '../../../src/plan/step.ts'
import type { Plan } from '../../../src/plan/survey.ts'
import type { KeyLimits, MintedKey } from '../../../src/services/cloudflare/port.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import {
  envFileOf,
  installationOf,
  knownKey,
  setupOf,
  tokenOf,
  worldOf,
} from '../../fakes/fake-world.ts'
import { troubles, verdictsOf, wordsOf } from './verdicts.ts'

type Setup = Parameters<typeof worldOf>[0]
type World = ReturnType<typeof worldOf>

const at = setupOf().at
const limits: KeyLimits = { only: at, allowIps: [], refuseIps: [] }
const keyOf = (more: Partial<MintedKey> = {}): MintedKey => ({
  id: knownKey.accessKeyId,
  name: `mastodon-r2 ${at.bucket} files.example.com 2026-01-01 abcdef`,
  status: 'active',
  limits,
  raw: undefined,
  ...more,
})
const extra = (name: string): MintedKey => keyOf({ id: '9'.repeat(32), name })

const STEPS = ['bucket', 'media-domain', 'cors', 'lifecycle', 'dev-url', 'key-in-use']
const planOf = (findings: Readonly<Record<string, Finding>>): Plan => ({
  items: STEPS.map((id) => ({
    id,
    title: id,
    finding: findings[id] ?? { is: 'ready', note: 'fine' },
  })),
})

async function examine(
  findings: Readonly<Record<string, Finding>> = {},
  setup: Setup = {},
  arrange: (world: World) => void = () => {},
) {
  const world = worldOf({ knownKey, ...setup })
  world.cloudflare.keys = [keyOf()]
  arrange(world)
  const found = await verdictsOf(
    cloudflareChecks(world as never, async () => planOf(findings)),
    {},
  )
  return { world, found }
}

it('a healthy setup', async () => {
  const { found, world } = await examine()
  expect(troubles(found)).toEqual([])
  expect(found.filter(({ verdict }) => verdict.severity === 'skipped')).toEqual([])
  expect(world.cloudflare.writes).toEqual([])
})

describe('what init would do', () => {
  const change: Finding = { is: 'change', changes: [{ what: 'do this', risk: 'safe' }] }
  it.each([
    ['bucket', 'fault'],
    ['media-domain', 'fault'],
    ['cors', 'fault'],
    ['lifecycle', 'warning'],
    ['dev-url', 'warning'],
    ['key-in-use', 'warning'],
  ])('%s is a %s', async (step, severity) => {
    const { found } = await examine({ [step]: change })
    expect(troubles(found)).toEqual([`cloudflare-${step} ${severity}`])
    const words = wordsOf(found, `cloudflare-${step}`)
    expect(words).toContain('init would do this.')
    expect(words).toContain('npx mastodon-r2 init')
  })

  it.each<[string, Finding, string[], string]>([
    [
      'what blocks it is a fault',
      { is: 'blocked', problem: refusal('media-host-taken') },
      ['cloudflare-cors fault'],
      'media-host-taken.',
    ],
    [
      'a token that may not look is none',
      { is: 'blocked', problem: refusal('cloudflare-10000') },
      [],
      'skipped: the API token may not look at this',
    ],
    [
      'a zone that is not fit is told once, elsewhere',
      { is: 'blocked', problem: refusal('zone-not-active') },
      [],
      'skipped',
    ],
    ['what waits is skipped', { is: 'waiting', on: 'accessKey', will: 'do it' }, [], 'skipped'],
    [
      'its warnings are warnings',
      { is: 'ready', note: 'fine', warnings: ['Look out.'] },
      ['cloudflare-cors warning'],
      'Look out.',
    ],
  ])('%s', async (_, finding, expected, words) => {
    const { found } = await examine({ cors: finding })
    expect(troubles(found)).toEqual(expected)
    expect(wordsOf(found, 'cloudflare-cors')).toContain(words)
  })
})

describe('the zone', () => {
  const { zone } = setupOf()
  it.each([
    ['pending', { status: 'pending' }],
    ['paused', { paused: true }],
    ['of another account', { account: { id: 'f'.repeat(32), name: 'Other' } }],
  ])('%s', async (_, more) => {
    const { found } = await examine({}, { zone: { ...zone, ...more } })
    expect(troubles(found)).toEqual(['cloudflare-zone fault'])
  })
})

describe('the key', () => {
  const scope = 'cloudflare-key-rights'
  const expiry = 'cloudflare-key-expiry'
  it.each<[string, Partial<MintedKey>, string[], string, string]>([
    [
      'opens more than one bucket',
      { limits: { ...limits, only: undefined } },
      [`${scope} warning`],
      scope,
      'opens more than this one bucket',
    ],
    [
      'is of another bucket',
      { limits: { ...limits, only: { ...at, bucket: 'other' } } },
      [`${scope} warning`],
      scope,
      'made for the bucket other',
    ],
    [
      'is tied to addresses',
      { limits: { ...limits, allowIps: ['192.0.2.0/24'], refuseIps: ['192.0.2.9'] } },
      [`${scope} note`],
      scope,
      'only from 192.0.2.0/24, and never from 192.0.2.9',
    ],
    ['is disabled', { status: 'disabled' }, [`${expiry} fault`], expiry, 'The key is disabled.'],
    [
      'has expired',
      { expiresOn: '2026-11-01T00:00:00Z' },
      [`${expiry} fault`],
      expiry,
      'expired on 2026-11-01',
    ],
    [
      'ends in 29 days',
      { expiresOn: '2026-12-21T23:59:59Z' },
      [`${expiry} warning`],
      expiry,
      'ends on 2026-12-21, in 29 days',
    ],
    ['ends in 31 days', { expiresOn: '2026-12-23T23:59:59Z' }, [], expiry, 'until 2026-12-23'],
  ])('%s', async (_, more, expected, id, words) => {
    const { found } = await examine({}, {}, ({ cloudflare }) => {
      cloudflare.keys = [keyOf(more)]
    })
    expect(troubles(found)).toEqual(expected)
    expect(wordsOf(found, id)).toContain(words)
  })

  it('that nobody may see is skipped', async () => {
    const { found } = await examine({}, {}, ({ cloudflare }) => {
      cloudflare.findKey = () => Promise.reject(refusal('cloudflare-9109'))
      cloudflare.listKeys = () => Promise.reject(refusal('cloudflare-9109'))
    })
    expect(troubles(found)).toEqual([])
    for (const id of [scope, expiry, 'cloudflare-extra-keys']) {
      expect(wordsOf(found, id)).toContain('skipped')
    }
  })

  it('of a user is found with a token of that user', async () => {
    const token = tokenOf({ kind: 'user' })
    const asked: string[] = []
    const { found } = await examine({}, { token }, ({ cloudflare }) => {
      cloudflare.findKey = async ({ kind }) => {
        asked.push(kind)
        return kind === 'user' ? keyOf() : undefined
      }
      cloudflare.listKeys = async () => []
    })
    expect(troubles(found)).toEqual([])
    expect(asked).toEqual(['account', 'user'])
  })
})

describe('unused keys', () => {
  const rest = 'files.example.com 2026-01-01 abcdef'
  it.each([
    [`mastodon-r2-setup ${at.bucket} ${rest}`, ['warning'], 'npx mastodon-r2 init'],
    [`mastodon-r2-retiring ${at.bucket} ${rest}`, ['note'], 'npx mastodon-r2 rotate'],
    [`mastodon-r2 ${at.bucket} ${rest}`, ['warning'], 'delete it'],
    [`mastodon-r2 other-media ${rest}`, [], 'none for this bucket'],
    [`mastodon-r2-something ${at.bucket}`, [], 'none for this bucket'],
  ])('%s', async (name, severities, words) => {
    const { found } = await examine({}, {}, ({ cloudflare }) => {
      cloudflare.keys = [keyOf(), extra(name)]
    })
    expect(troubles(found)).toEqual(severities.map((it) => `cloudflare-extra-keys ${it}`))
    expect(wordsOf(found, 'cloudflare-extra-keys')).toContain(words)
  })

  it('one that another env file holds is in use', async () => {
    const file = envFileOf(`AWS_ACCESS_KEY_ID=${'9'.repeat(32)}\n`)
    const installation = installationOf({ envFiles: [file] })
    const { found } = await examine({}, { installation }, ({ cloudflare }) => {
      cloudflare.keys = [keyOf(), extra(`mastodon-r2 ${at.bucket} ${rest}`)]
    })
    expect(troubles(found)).toEqual([])
  })
})

it.each([
  [undefined, [], 'skipped: no API token was given'],
  [refusal('cloudflare-1000'), ['cloudflare-token warning'], 'cloudflare-1000.'],
])('without a token that is good (%s)', async (problem, expected, words) => {
  const found = await verdictsOf([unasked(problem)], {})
  expect(troubles(found)).toEqual(expected)
  expect(wordsOf(found, 'cloudflare-token')).toContain(words)
})
