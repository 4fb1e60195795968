import { describe, expect, it } from 'vitest'
import { chooseRoutes, type RouteWish } from '../../src/redirects/routes.ts'
import { FakeCloudflare } from '../fakes/fake-cloudflare.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'
import { FakeWeb } from '../fakes/fake-web.ts'
import { setupOf } from '../fakes/fake-world.ts'
import { problemOf } from '../fakes/found.ts'

const HOST = 'social.example.com'
const own = { host: HOST, path: '/system/' }
const old = { host: 'old.example.org', path: '/media/' }
const record = { type: 'A', name: HOST, content: '192.0.2.1', proxied: true }

interface Given {
  readonly via?: RouteWish['via']
  readonly prefixes?: RouteWish['prefixes']
  readonly ray?: boolean
  readonly noToken?: true
  arrange?(cloudflare: FakeCloudflare): void
}

async function routes(
  { via = 'auto', prefixes = [own], ray = false, ...more }: Given,
  countsAsking = true,
) {
  const cloudflare = new FakeCloudflare()
  cloudflare.zones = [setupOf().zone]
  cloudflare.dns = [record]
  more.arrange?.(cloudflare)
  const web = new FakeWeb(new FakeS3())
  web.alter = (answer) => ({ ...answer, headers: ray ? [['cf-ray', '1']] : [] })
  const asked: boolean[] = []
  const found = await chooseRoutes({
    via,
    prefixes,
    instanceHost: HOST,
    web,
    async connect(useful) {
      asked.push(useful)
      return more.noToken ? undefined : cloudflare
    },
  })
  if (countsAsking) expect(asked).toEqual(via === 'nginx' ? [] : [via !== 'auto' || ray])
  return found.map((route) => ('why' in route ? `${route.by}: ${route.why}` : route.by))
}

const many = ['a', 'b', 'c', 'd'].map((name) => ({ host: HOST, path: `/${name}/` }))
const noRules = ['single-redirects', 'bulk-redirects'] as const

describe('who redirects', () => {
  it.each<[string, Given, string]>([
    ['a proxied host', {}, 'single'],
    ['many prefixes', { prefixes: many }, 'bulk bulk bulk bulk'],
    [
      'many prefixes, lists not allowed',
      { prefixes: many, arrange: (at) => void at.denied.push('redirect-lists') },
      'single single single single',
    ],
    [
      'single rules not allowed',
      { arrange: (at) => void at.denied.push('single-redirects') },
      'bulk',
    ],
    [
      'no rules allowed',
      { arrange: (at) => void at.denied.push(...noRules) },
      'nginx: the API token lacks "Single Redirect: Edit" for example.com; with it Cloudflare would do this',
    ],
    [
      'no orange cloud',
      { ray: true, arrange: (at) => void at.dns.splice(0, 1, { ...record, proxied: false }) },
      `nginx: ${HOST} does not pass through Cloudflare (its DNS record has no orange cloud)`,
    ],
    [
      'no record of its own, but a ray',
      { ray: true, arrange: (at) => void at.dns.pop() },
      'single',
    ],
    [
      'neither record nor ray',
      { arrange: (at) => void at.dns.pop() },
      `nginx: ${HOST} does not pass through Cloudflare (its DNS record has no orange cloud)`,
    ],
    [
      'another zone',
      { arrange: (at) => void at.zones.pop() },
      `nginx: The API token sees no zone of ${HOST}`,
    ],
    [
      'no token, no ray',
      { noToken: true },
      `nginx: ${HOST} does not pass through Cloudflare (no cf-ray in its answers)`,
    ],
    [
      'no token, a ray',
      { noToken: true, ray: true },
      `nginx: ${HOST} passes through Cloudflare, and no API token was given with which a rule could be made there`,
    ],
    ['nginx asked for', { via: 'nginx' }, 'nginx: undefined'],
    ['a list asked for', { via: 'bulk' }, 'bulk'],
  ])('%s', async (_, given, expected) => {
    expect((await routes(given)).join(' ')).toBe(expected)
  })

  it("an old provider's host can't be redirected here, and that is said", async () => {
    const [first, second] = await routes({ prefixes: [own, old] })
    expect(first).toBe('single')
    expect(second).toMatch(
      /^nginx: The API token sees no zone of old\.example\.org; keep that host alive, or redirect it there.*provider/,
    )
  })

  const alias = { ...old, served: 'alias' } as const
  const gone = (at: FakeCloudflare) => void at.zones.pop()
  it.each<[string, Given, string]>([
    [
      'auto',
      { prefixes: [own, alias] },
      'single, kept: The API token sees no zone of old.example.org',
    ],
    ['single', { via: 'single', prefixes: [own, alias] }, 'single, kept: The API token sees'],
    [
      'no token',
      { noToken: true, prefixes: [alias] },
      'kept: old.example.org does not pass through Cloudflare',
    ],
    ['nginx, which may be theirs', { via: 'nginx', prefixes: [alias] }, 'nginx: undefined'],
    [
      "a provider's host, before nginx",
      { via: 'nginx', prefixes: [own, { ...old, served: 'provider' }] },
      "nginx: undefined, kept: old.example.org is the provider's own host",
    ],
    [
      'a path that no rule can hold',
      { prefixes: [own, { host: HOST, path: '/a"b/', served: 'files' }] },
      'single, kept: no rule can be made of that address',
    ],
    [
      'an alias in a zone of the token',
      {
        prefixes: [{ host: 'cdn.example.com', path: '/file/x/', served: 'alias' }],
        arrange: (at) => void at.dns.splice(0, 1, { ...record, name: 'cdn.example.com' }),
      },
      'single',
    ],
    [
      'files of another host of the person, whose zone is not seen',
      { prefixes: [{ ...old, served: 'files' }], arrange: gone },
      'nginx: The API token sees no zone of old.example.org; keep that host alive, or redirect it there',
    ],
  ])('an old place that the settings tell: %s', async (_, given, expected) => {
    expect((await routes(given, false)).join(', ')).toContain(expected)
  })

  it.each([
    ['zone-not-seen', (at: FakeCloudflare) => void at.zones.pop()],
    [
      'host-not-proxied',
      (at: FakeCloudflare) => void at.dns.splice(0, 1, { ...record, proxied: false }),
    ],
    [
      'zone-not-active',
      (at: FakeCloudflare) => void at.zones.splice(0, 1, { ...setupOf().zone, status: 'pending' }),
    ],
  ])('what was asked for and can not be is a problem: %s', async (code, arrange) => {
    expect(await problemOf(routes({ via: 'single', arrange }))).toMatchObject({ code, exit: 2 })
  })
})
