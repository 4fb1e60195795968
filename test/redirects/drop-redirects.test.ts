import { expect, it } from 'vitest'
import { BULK_LIST, bulkRedirect, bulkRule } from '../../src/redirects/bulk.ts'
import { dropBulkRedirects, dropSingleRedirects } from '../../src/redirects/drop.ts'
import { singleRule } from '../../src/redirects/single.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { ACCOUNT, HOST, setupOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'
import { OLD, redirectingWorld, stranger } from './redirecting-world.ts'

const SINGLE = 'http_request_dynamic_redirect'
const older = { host: 'old.example.com', path: '/' }
const wish = { mediaHost: HOST, only: undefined }
const { zone } = setupOf()

function withSingles() {
  const all = redirectingWorld()
  const mine = [OLD, older].map((prefix, n) => ({
    ...singleRule(prefix, HOST, 301),
    id: `mine-${n}`,
  }))
  const neighbour = { ...singleRule({ ...OLD, host: 'art.example.com' }, 'm.example.com', 301) }
  all.add(SINGLE, stranger, ...mine, { ...neighbour, id: 'neighbour' })
  return all
}

it('single rules: ours alone, not those of another Mastodon in the zone', async () => {
  const { world } = withSingles()
  const step = dropSingleRedirects(wish, [zone])
  expect(found(await step.look(world))).toBe(
    `change [public] remove the rule "mastodon-r2: social.example.com/system/ to ${HOST}"; [public] remove the rule "mastodon-r2: old.example.com/ to ${HOST}"`,
  )
  await step.change?.(world)
  expect(world.cloudflare.rules.map(({ rule }) => rule.id)).toEqual(['other', 'neighbour'])
  expect(found(await step.look(world))).toBe('ready no rule of this program')
})

it('single rules: only those that are named', async () => {
  const { world } = withSingles()
  await dropSingleRedirects({ ...wish, only: [older] }, [zone]).change?.(world)
  expect(world.cloudflare.rules.map(({ rule }) => rule.id)).toEqual([
    'other',
    'mine-0',
    'neighbour',
  ])
})

function withList(...others: string[]) {
  const all = redirectingWorld()
  const { cloudflare } = all.world
  const flags = { subpathMatching: true, preservePathSuffix: true, preserveQueryString: true }
  const mine = [OLD, older].map((prefix) => ({ ...bulkRedirect(prefix, HOST, 301), ...flags }))
  const theirs = others.map((sourceUrl) => ({ ...mine[0]!, sourceUrl, targetUrl: 'https://b.c/' }))
  const redirects = [...mine, ...theirs].map((item, n) => ({ ...item, id: `${n}` }))
  cloudflare.lists = [{ id: 'l', name: BULK_LIST, description: '', items: 3, redirects }]
  all.add('http_request_redirect', stranger, { ...bulkRule, id: 'rule' })
  return all
}

it('a list that holds nothing else goes with its rule', async () => {
  const { world } = withList()
  const step = dropBulkRedirects(wish, ACCOUNT)
  expect(found(await step.look(world))).toMatch(/remove the rule and the list/)
  await step.change?.(world)
  expect(world.cloudflare.writes).toEqual([
    'remove rule from http_request_redirect',
    'remove 2 redirects',
    'delete list l',
  ])
  expect(world.cloudflare.rules.map(({ rule }) => rule.id)).toEqual(['other'])
  expect(found(await step.look(world))).toBe('ready no redirect of this program')
})

it.each([
  ['of others', withList('a.b/x'), undefined, ['a.b/x']],
  ['that were not named', withList(), [older], ['social.example.com/system/']],
])('a list with redirects %s stays, and so does its rule', async (_, { world }, only, left) => {
  const step = dropBulkRedirects({ ...wish, only }, ACCOUNT)
  expect(warningsOf(await step.look(world))).toEqual([expect.stringMatching(/^1 redirect/)])
  await step.change?.(world)
  expect(world.cloudflare.lists[0]?.redirects.map(({ sourceUrl }) => sourceUrl)).toEqual(left)
  expect(world.cloudflare.rules.length).toBe(2)
  expect((await step.look(world)).is).toBe('ready')
})

it('what a killed run left is taken away, too', async () => {
  const { world } = withList()
  world.cloudflare.lists = []
  const step = dropBulkRedirects(wish, ACCOUNT)
  expect(found(await step.look(world))).toMatch(/^change .*rule/)
  await step.change?.(world)
  expect((await step.look(world)).is).toBe('ready')
})

it('without the permission to look it is said', async () => {
  const { world } = withSingles()
  world.cloudflare.lookRefusal = refusal('cloudflare-9109')
  for (const step of [dropSingleRedirects(wish, [zone]), dropBulkRedirects(wish, ACCOUNT)]) {
    expect(found(await step.look(world))).toMatch(/^later skipped: the API token lacks/)
  }
})
