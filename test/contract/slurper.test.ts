import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sendRequest } from '../../src/core/send-request.ts'
import { slurperRoutes } from '../../src/sandbox/api/routes.ts'
import type { SlurperSource } from '../../src/services/cloudflare/port.ts'
import type { Send } from '../../src/services/cloudflare/wire.ts'
import { type SlurperWorld, slurperWorld } from '../sandbox/api/slurper-world.ts'
import { once } from './once.ts'
import { contractAvailable, contractRequired } from './openapi.ts'
import { checkRequest, checkResponse } from './validate.ts'

const runs = contractAvailable || contractRequired
const title = "Super Slurper: our requests and the sandbox's answers"

describe.skipIf(!runs)(runs ? title : `${title} (skipped: no cloudflare-openapi.json)`, () => {
  let at: SlurperWorld
  let wrong: string[] = []
  const asked = new Set<string>()

  const watched: Send = async (url, request) => {
    const answer = await sendRequest(url, request)
    if (!url.pathname.includes('/slurper/')) return answer
    const { method, headers, body } = request
    asked.add(`${method} ${routeOf(method, url.pathname)}`)
    const sent = body === undefined ? undefined : JSON.parse(body)
    const bad = checkRequest(method, url.pathname, url.searchParams, { ...headers }, sent)
    const came = await buffer(answer.body)
    wrong.push(...(answer.status >= 400 ? [] : bad))
    wrong.push(...checkResponse(method, url.pathname, answer.status, JSON.parse(String(came))))
    return { ...answer, body: Readable.from([came]) }
  }

  beforeAll(async () => {
    at = await slurperWorld(watched)
    await at.fill(['a.png', 'b.png'])
  }, 60_000)
  afterAll(() => at.close())

  beforeEach(() => {
    wrong = []
  })
  afterEach(() => {
    expect(wrong).toEqual([])
  })

  const s3 = (): SlurperSource => ({
    vendor: 's3',
    bucket: 'old',
    key: at.oldKey,
    endpoint: at.endpoint,
    region: 'eu-west-1',
  })
  const r2 = (): SlurperSource => ({
    vendor: 'r2',
    bucket: 'old',
    key: at.oldKey,
    jurisdiction: 'eu',
  })
  const target = () => ({ bucket: 'media', jurisdiction: 'default', key: at.mediaKey }) as const

  async function client(source: () => SlurperSource) {
    const { slurper } = at.cloudflare
    const id = at.sandbox.accountId
    expect(await slurper.canRead(id, source())).toBe(true)
    expect(await slurper.canWrite(id, target())).toBe(true)
    at.switches.objectMs = 200
    const wish = { source: source(), target: target(), prefix: 'a' }
    const job = await slurper.createJob(id, wish)
    await slurper.pause(id, job)
    expect(await slurper.progress(id, job)).toMatchObject({ status: 'paused' })
    await slurper.resume(id, job)
    await slurper.abort(id, job)
    expect((await slurper.listJobs(id, wish))[0]).toMatchObject({
      id: job,
      status: 'aborted',
      from: { bucket: 'old', prefix: 'a' },
      to: { bucket: 'media', jurisdiction: 'default' },
    })
    expect(await slurper.failures(id, job, 10)).toEqual([])
    at.switches.objectMs = 0
  }

  async function people() {
    const made = await at.call('POST', '/jobs', { source: at.source, target: at.target })
    expect((await at.call('GET', `/jobs/${made.result.id}`)).status).toBe(200)
    expect((await at.call('PUT', '/jobs/abortAll')).status).toBe(200)
    expect((await at.call('DELETE', `/jobs/${made.result.id}`)).status).toBe(200)
    expect((await at.call('DELETE', `/jobs/${made.result.id}`)).status).toBe(404)
    at.switches.maxJobs = 0
    const many = await at.call('POST', '/jobs', { source: at.source, target: at.target })
    at.switches.maxJobs = 3
    expect(many.status).toBe(409)
  }

  const stories = new Map([
    ['all that the client asks about a source on S3', once(() => client(s3))],
    ['all that the client asks about a source on R2', once(() => client(r2))],
    ['what only people ask, and refusals', once(people)],
  ])

  test.each([...stories.keys()])('%s', (name) => stories.get(name)?.())

  test('has been asked at every endpoint it has', async () => {
    for (const tell of stories.values()) await tell()
    const all = slurperRoutes.map(({ method, path }) => `${method} ${path}`)
    expect(all.filter((route) => !asked.has(route))).toEqual([])
  })
})

/** The route's own path for a real one; the most literal where several fit. */
function routeOf(method: string, pathname: string): string | undefined {
  const parts = pathname.replace('/client/v4', '').split('/')
  return slurperRoutes
    .filter((route) => route.method === method)
    .map(({ path }) => path)
    .filter((path) => path.split('/').length === parts.length)
    .find((path) =>
      path.split('/').every((part, index) => part.startsWith(':') || part === parts[index]),
    )
}
