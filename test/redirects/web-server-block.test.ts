import { expect, it } from 'vitest'
import type { Opinion } from '../../src/redirects/web-server.ts'
import { webServerBlock } from '../../src/redirects/web-server.ts'
import { found, problemOf } from '../fakes/found.ts'
import { KEYS, OLD, onDisk, redirectingWorld } from './redirecting-world.ts'

function at(
  elsewhere: number | undefined,
  status: 301 | 302 = 301,
  opinion: Opinion = { is: 'good' },
) {
  const all = redirectingWorld(status, onDisk(KEYS))
  all.edge.elsewhere = elsewhere
  const told: string[] = []
  const step = webServerBlock(all.redirecting, {
    kind: 'nginx',
    prefix: OLD,
    isHere: true,
    why: undefined,
    text: (code, hsts) => `block ${code}${hsts === undefined ? '' : ` ${hsts}`}`,
    webServer: { check: async () => opinion },
    told: ({ title, text }) => void told.push(`${title}: ${text}`),
  })
  return { ...all, told, step }
}

it.each<[number | undefined, 301 | 302, string, string | undefined]>([
  [undefined, 301, 'later put the block below in place, reload nginx, run this again', '302'],
  [undefined, 302, 'later put the block below in place, reload nginx, run this again', '302'],
  [302, 301, 'later works with 302, seen; make it permanent with the block below', '301'],
  [301, 302, 'later works with 301, seen; make it temporary with the block below', '302'],
  [301, 301, 'ready leads to https://files.example.com/ with 301, seen', undefined],
  [302, 302, 'ready leads to https://files.example.com/ with 302, seen', undefined],
])('seen %s, wished %s: %s', async (seen, wished, finding, block) => {
  const { world, told, step } = at(seen, wished)
  expect(found(await step.look(world))).toBe(finding)
  const title = 'For nginx, in the block of social.example.com (checked by nginx on this machine)'
  expect(told).toEqual(block === undefined ? [] : [`${title}: block ${block}`])
})

it.each<[number, string, string]>([
  [302, 'public, max-age=31536000, immutable', '; browsers keep it for 365 days'],
  [302, 's-maxage=9, MAX-AGE="86400"', '; browsers keep it for 1 day'],
  [302, 'max-age=86399', ''],
  [302, 'no-cache', ''],
  [302, 'no-store, max-age=31536000', ''],
  [301, 'public, max-age=31536000', ''],
])('a redirect with %s that comes with %s', async (status, cacheControl, more) => {
  const { world, step } = at(status, status as 301 | 302)
  const before = world.web.alter
  world.web.alter = (answer, request, url) => {
    const told = before(answer, request, url)
    return { ...told, headers: [...told.headers, ['cache-control', cacheControl]] }
  }
  const kept = more && `${more}, as the web server's Cache-Control says`
  const note = `ready leads to https://files.example.com/ with ${status}, seen${kept}`
  expect(found(await step.look(world))).toBe(note)
})

it('a file on this disk proves nothing, so another address is asked', async () => {
  const { world, step } = at(301)
  await step.look(world)
  const asked = world.web.requests.filter((url) => url.includes(OLD.host))
  expect(asked).toEqual([expect.stringContaining('/system/mastodon-r2-probe/')])
})

it('a block that the web server refuses is not shown', async () => {
  const { world, told, step } = at(undefined, 301, { is: 'bad', said: 'unknown directive' })
  expect((await problemOf(step.look(world))).why).toBe('unknown directive')
  expect(told).toEqual([])
})

it('a block that was not checked says why', async () => {
  const { world, told, step } = at(undefined, 301, { is: 'unknown', why: 'no nginx here' })
  await step.look(world)
  expect(told).toEqual([expect.stringContaining('(not checked: no nginx here)')])
})

it.each([
  ['max-age=63072000; includeSubDomains', ' max-age=63072000; includeSubDomains'],
  ['max-age=300', ' max-age=300'],
  ['max-age=300; includeSubDomains; preload', ' max-age=300; includeSubDomains; preload'],
  ['max-age=1"; } evil {', ''],
  [undefined, ''],
])('HSTS of the old address is kept: %s', async (value, shown) => {
  const { world, told, step } = at(undefined)
  const before = world.web.alter
  world.web.alter = (answer, request, url) => {
    const told = before(answer, request, url)
    const more = value === undefined ? [] : [['strict-transport-security', value] as const]
    return { ...told, headers: [...told.headers, ...more] }
  }
  await step.look(world)
  expect(told[0]?.split(': block ')[1]).toBe(`302${shown}`)
})
