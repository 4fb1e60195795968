import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/sandbox/r2/authenticate.ts'
import { exports, flags, type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { visit } from './edge/visit.ts'
import { signed } from './r2/sign.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sandbox-test-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

const portOf = (sandbox: Sandbox) => Number(sandbox.connectTo[0]?.split(':').at(-1))

async function call(sandbox: Sandbox, method: string, path: string, body?: unknown) {
  const response = await fetch(`${sandbox.apiUrl}/accounts/${sandbox.accountId}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${sandbox.bootstrapToken.reveal()}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the test asserts
  return { status: response.status, json: (await response.json()) as any }
}

test('bucket, domain and key made by the API serve an object to the public', async () => {
  const sandbox = await startSandbox({ domainMs: 0, keyMs: 0, dir })
  try {
    const host = 'files.example.com'
    const zoneId = sandbox.world.zones[0]?.id
    await call(sandbox, 'POST', '/r2/buckets', { name: 'media' })
    const attach = { domain: host, zoneId, enabled: true }
    await call(sandbox, 'POST', '/r2/buckets/media/domains/custom', attach)
    const rules = [{ allowed: { origins: ['*'], methods: ['GET', 'HEAD'] } }]
    await call(sandbox, 'PUT', '/r2/buckets/media/cors', { rules })
    const minted = await call(sandbox, 'POST', '/tokens', {
      name: 'key',
      policies: [
        {
          effect: 'allow',
          permission_groups: [{ id: '2efd5506f9c8494dacb1fa10a3e7d5b6' }],
          resources: {
            [`com.cloudflare.edge.r2.bucket.${sandbox.accountId}_default_media`]: '*',
          },
        },
      ],
    })
    const { id, value } = minted.json.result
    const credentials = { accessKeyId: id, secretAccessKey: sha256Hex(value) }
    const token = sandbox.world.tokens.find((known) => known.id === id)!
    const put = { method: 'PUT', path: '/media/a.txt', body: 'hello' }
    const sent = await fetch(...signed(sandbox.s3Url(), { key: { token, credentials }, ...put }))
    expect(sent.status).toBe(200)

    const at = { port: portOf(sandbox), ca: sandbox.caPem, host }
    const headers = { origin: 'https://social.example' }
    const got = await visit(at, { path: '/a.txt', headers })
    expect([got.status, got.body]).toEqual([200, 'hello'])
    expect(got.header('access-control-allow-origin')).toEqual(['*'])

    const refused = await call(sandbox, 'DELETE', '/r2/buckets/media')
    expect(refused.json.errors[0].code).toBe(10008)
    const listed = await call(sandbox, 'GET', '/r2/buckets/media/objects')
    expect(listed.json.result).toMatchObject([{ key: 'a.txt', size: 5 }])
    expect(new Set(sandbox.log.map(({ side }) => side))).toEqual(new Set(['api', 's3', 'public']))
    expect(JSON.stringify(sandbox.log)).not.toContain(sandbox.bootstrapToken.reveal())
  } finally {
    await sandbox.close()
  }
}, 30_000)

test('close frees the ports and leaves no file behind', async () => {
  const own = await mkdtemp(join(dir, 'own-'))
  const sandbox = await startSandbox({ dir: own, emulator: 'eager' })
  expect((await stat(sandbox.caFile)).isFile()).toBe(true)
  await sandbox.close()
  expect(await readdir(own)).toEqual([])
  for (const url of [sandbox.apiUrl, sandbox.s3Url(), sandbox.s3Url('eu')]) {
    await expect(fetch(url)).rejects.toThrow()
  }
  await sandbox.close()
}, 30_000)

describe('what a person is told', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox({ dir, r2Enabled: false, tokenKind: 'user' })
  })
  afterAll(() => sandbox.close())

  test('the variables and flags', () => {
    expect(exports(sandbox)).toEqual({
      CLOUDFLARE_BASE_URL: sandbox.apiUrl,
      CLOUDFLARE_API_TOKEN: sandbox.bootstrapToken.reveal(),
      NODE_EXTRA_CA_CERTS: sandbox.caFile,
    })
    expect(flags(sandbox)).toEqual([
      '--s3-endpoint-url',
      sandbox.s3Url(),
      '--connect-to',
      `::127.0.0.1:${portOf(sandbox)}`,
    ])
  })

  test('every address is on this machine', () => {
    const urls = [
      sandbox.apiUrl,
      ...['default', 'eu', 'us', 'fedramp', 'fedramp-high'].map(sandbox.s3Url),
    ]
    expect(new Set(urls.map((url) => new URL(url).hostname))).toEqual(new Set(['127.0.0.1']))
    expect(new Set(urls).size).toBe(6)
    expect(() => sandbox.s3Url('moon')).toThrow('moon')
  })

  test('R2 that was not bought is refused', async () => {
    const answer = await call(sandbox, 'POST', '/r2/buckets', { name: 'media' })
    expect(answer.json.errors[0].code).toBe(10042)
  })
})
