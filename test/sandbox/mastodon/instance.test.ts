import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPolicies, refusedBy } from '../../../src/announce/pages.ts'
import type { Mastodon } from '../../../src/sandbox/mastodon/mastodon.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { call } from './running.ts'
import { visitInstance } from './visit-instance.ts'

let sandbox: Sandbox
let mastodon: Mastodon
beforeAll(async () => {
  sandbox = await startSandbox({ mastodon: { media: 12, bootMs: 0, node: process.execPath } })
  if (!sandbox.mastodon) throw new Error('There is no Mastodon.')
  mastodon = sandbox.mastodon
  const end = Date.now() + 20_000
  while ((await page()).status !== 200 && Date.now() < end) await sleep(20)
})
afterAll(() => sandbox?.close())

const page = (path = '/') => visitInstance(sandbox, path)
const needed = ['img-src', 'media-src', 'connect-src']
const refused = async (host: string) =>
  refusedBy(readPolicies((await page()).header('content-security-policy')), needed, host)

test('its pages name a media host once web has read the env file anew', async () => {
  expect(await refused('social.example.com')).toEqual([])
  expect(await refused('files.example.com')).toEqual(needed)
  const lines =
    'S3_ALIAS_HOST=files.example.com\nEXTRA_MEDIA_HOSTS=https://old.example.net,https://b.example\n'
  appendFileSync(join(mastodon.dir, '.env.production'), lines)
  expect(await refused('files.example.com')).toEqual(needed)
  await call(mastodon, 'systemctl reload-or-restart mastodon-web')
  const hosts = ['files.example.com', 'old.example.net', 'b.example']
  for (const host of hosts) {
    await expect.poll(() => refused(host), { timeout: 10_000 }).toEqual([])
  }
  expect(await refused('c.example')).toEqual(needed)
})

test('it tells its version', async () => {
  const { status, body } = await page('/api/v2/instance')
  expect(status).toBe(200)
  expect(JSON.parse(body)).toMatchObject({ domain: 'social.example.com', version: '4.5.2' })
})

describe('below /system', () => {
  test('is every file of the tree, whatever it is called', async () => {
    for (const { key, size } of mastodon.tree.files) {
      const { status, body } = await page(
        `/system/${key.split('/').map(encodeURIComponent).join('/')}`,
      )
      expect([key, status, body.length > 0 && size > 0]).toEqual([key, 200, true])
    }
  })

  test('is what the disk holds, with its type', async () => {
    const folder = join(mastodon.dir, 'public/system/custom_emojis')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'x.png'), 'as it is')
    const { header, body } = await page('/system/custom_emojis/x.png')
    expect(body).toBe('as it is')
    expect(header('content-type')).toEqual(['image/png'])
    expect(header('content-length')).toEqual(['8'])
  })

  test.each([
    '/system/none.png',
    '/system/%2e%2e/%2e%2e/.env.production',
    '/system/..%2f..%2f.env.production',
    '/system/.gitkeep',
    '/system/%ff',
    '/system/',
    '/nowhere',
  ])('%s is not found', async (path) => {
    const { status, body } = await page(path)
    expect(status).toBe(404)
    expect(body).not.toContain('LOCAL_DOMAIN')
  })
})

test('the env file is for its owner alone, and names no storage', () => {
  const text = readFileSync(join(mastodon.dir, '.env.production'), 'utf8')
  expect(text).toMatch(/^LOCAL_DOMAIN=social\.example\.com$/m)
  expect(text.split('EXTRA_MEDIA_HOSTS')[0]).not.toMatch(/S3_ENABLED|AWS_/)
})

test('its zone has a proxied record for it', () => {
  const record = sandbox.world.dnsRecords.find(({ name }) => name === 'social.example.com')
  expect(record).toMatchObject({ type: 'A', proxied: true, zoneId: sandbox.world.zones[0]?.id })
})
