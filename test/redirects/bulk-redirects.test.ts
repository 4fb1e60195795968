import { expect, it } from 'vitest'
import { BULK_LIST, bulkRedirect, bulkRedirects, bulkRule } from '../../src/redirects/bulk.ts'
import type { Redirect } from '../../src/services/cloudflare/port.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { ACCOUNT, HOST } from '../fakes/fake-world.ts'
import { found, problemOf, warningsOf } from '../fakes/found.ts'
import { OLD, redirectingWorld, stranger } from './redirecting-world.ts'

const PHASE = 'http_request_redirect'
const flags = { subpathMatching: true, preservePathSuffix: true, preserveQueryString: true }
const foreign: Redirect = {
  id: 'theirs',
  sourceUrl: 'a.example/x',
  targetUrl: 'https://b.example/',
  status: 301,
  comment: '',
  ...flags,
}

function at(status: 301 | 302 = 301) {
  const all = redirectingWorld(status)
  const { cloudflare } = all.world
  const list = (...redirects: Redirect[]) => {
    const about = { id: 'list', name: BULK_LIST, description: '', items: redirects.length }
    cloudflare.lists = [{ ...about, redirects }]
  }
  const items = () =>
    cloudflare.lists.flatMap(({ redirects }) =>
      redirects.map(({ sourceUrl, status }) => `${sourceUrl} ${status}`),
    )
  return { ...all, list, items, make: () => bulkRedirects(all.redirecting, [OLD], ACCOUNT) }
}

it('a list, its redirects and its rule: 302 first, permanent once that was seen', async () => {
  const { world, edge, items, refs, add, make } = at()
  add(PHASE, stranger)
  const step = make()
  expect(found(await step.look(world))).toMatch(/^change \[public\] lead .*made for it.*a rule of/)
  edge.seen.length = 0
  await step.change?.(world)
  expect(world.cloudflare.writes).toEqual([
    `create list ${BULK_LIST}`,
    'add 1 redirects',
    `add ${bulkRule.ref} to ${PHASE}`,
    'remove 1 redirects',
    'add 1 redirects',
  ])
  expect(edge.seen.slice(-4)).toEqual(['302', '302', '301', '301'])
  expect(items()).toEqual(['social.example.com/system/ 301'])
  expect(refs()).toEqual(['other', bulkRule.ref])
  for (const one of [step, make()]) expect((await one.look(world)).is).toBe('ready')
})

it('goes on from what a run before left', async () => {
  const { world, list, items, make } = at()
  list({ ...foreign, ...bulkRedirect(OLD, HOST, 302), id: 'ours' }, foreign)
  expect((await make().look(world)).is).toBe('change')
  await make().change?.(world)
  expect(items()).toEqual(['a.example/x 301', 'social.example.com/system/ 301'])
  expect((await make().look(world)).is).toBe('ready')
})

it.each([
  ['list and rule with it', [], []],
  ['nothing of others', [foreign], ['a.example/x 301']],
])('what is not seen to work is taken back, %s', async (_, before, after) => {
  const { world, edge, list, items, make } = at()
  list(...before)
  edge.deaf = true
  expect((await problemOf(make().change!(world))).code).toBe('redirect-not-seen')
  expect(items()).toEqual(after)
  expect(world.cloudflare.lists.length).toBe(before.length)
  expect(world.cloudflare.rules.length).toBe(before.length)
})

it('by something else is enough', async () => {
  const { world, edge, make } = at()
  edge.elsewhere = 302
  expect(found(await make().look(world))).toMatch(/^ready all of them lead .*nothing is added/)
})

it('says which permissions it needs, and warns where the account may be full', async () => {
  const { world, make } = at()
  world.cloudflare.lists = Array.from({ length: 5 }, (_, n) => {
    return { id: `${n}`, name: `${n}`, description: '', items: 0, redirects: [] }
  })
  expect(warningsOf(await make().look(world))).toEqual([expect.stringMatching(/has 5 lists/)])
  world.cloudflare.lookRefusal = refusal('cloudflare-9109')
  expect((await problemOf(make().look(world))).what).toMatch(
    /"Account Filter Lists: Edit" and "Account Rulesets: Edit"/,
  )
})
