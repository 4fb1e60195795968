import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAuthority } from '../../../src/sandbox/certificate.ts'
import { type PublicHost, startPublicHost } from '../../../src/sandbox/edge/public-host.ts'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { signed } from '../r2/sign.ts'
import {
  ACCOUNT,
  addBucket,
  addKey,
  bucketResource,
  createStand,
  startTestFront,
} from '../r2/stand.ts'
import { visit } from './visit.ts'

const stand = createStand()
const { world } = stand
const authority = createAuthority()
const host = 'files.example.com'
const zone = { id: 'z', name: 'example.com', accountId: ACCOUNT, paused: false }
const domain = { host, zoneId: 'z', enabled: true, attachedAt: 0, minTLS: '1.0' }
addBucket(world, 'media', { domains: [domain] })
const key = addKey(world, { [bucketResource('media')]: '*' })
let front: Front
let edge: PublicHost

beforeAll(async () => {
  world.zones.push({ ...zone, status: 'active', type: 'full' })
  front = await startTestFront(stand)
  edge = await startPublicHost(stand, { pool: stand.pool, authority })
  await put('/media/a.mov')
}, 30_000)
afterAll(async () => {
  await Promise.all([front.close(), edge.close()])
  await stand.pool.close()
})
beforeEach(() => {
  world.edge.rulesets.length = 0
})

async function put(path: string) {
  const response = await fetch(...signed(front.url, { key, method: 'PUT', path, body: 'x' }))
  expect(response.status).toBe(200)
}

async function look(path: string) {
  const answer = await visit({ port: edge.port, ca: authority.pem, host }, { path })
  return [answer.status, answer.header('cf-cache-status')[0]]
}

function cached(parameters: object) {
  const phase = 'http_request_cache_settings'
  const rule = { id: 'r', ref: 'r', description: '', action: 'set_cache_settings', enabled: true }
  const expression = `http.host eq "${host}"`
  world.edge.rulesets.push({
    ...{ id: 's', owner: 'z', kind: 'zone', phase, name: '', description: '' },
    rules: [{ ...rule, expression, parameters: { ...parameters }, version: 1, updatedAt: 0 }],
    version: 1,
    updatedAt: 0,
  })
}

test.each<[string, object | undefined, string]>([
  ['by default', undefined, 'DYNAMIC'],
  ['everything', { cache: true }, 'MISS'],
  ['nothing', { cache: false }, 'BYPASS'],
])('a film is cached: %s', async (_, parameters, expected) => {
  if (parameters) cached(parameters)
  expect(await look('/a.mov')).toEqual([200, expected])
})

const kept = (value: number) => {
  const status_code_ttl = [{ status_code: 404, value }]
  return { cache: true, edge_ttl: { mode: 'respect_origin', status_code_ttl } }
}

test.each<[string, object, string, string, unknown[]]>([
  ['not stored', kept(-1), '/b.png', 'BYPASS', [200, 'MISS']],
  ['for no time', kept(0), '/c.png', 'MISS', [200, 'MISS']],
  ['for a while', kept(60), '/d.png', 'MISS', [404, 'HIT']],
  ['never', { cache: false }, '/e.png', 'BYPASS', [200, 'BYPASS']],
])('a missing object is remembered: %s', async (_, parameters, path, first, second) => {
  cached(parameters)
  expect(await look(path)).toEqual([404, first])
  await put(`/media${path}`)
  expect(await look(path)).toEqual(second)
})
