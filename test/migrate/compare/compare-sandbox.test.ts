import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fewAtOnce } from '../../../src/core/streams.ts'
import { compareMedia } from '../../../src/migrate/compare/compare.ts'
import type { Comparison } from '../../../src/plan/report-schema.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import { localTree } from '../../../src/services/media/tree.ts'
import { connectS3 } from '../../../src/services/s3/client.ts'
import type { S3Port } from '../../../src/services/s3/port.ts'
import { bucketSource } from '../../../src/setup/old-provider.ts'
import { copyWorld } from '../../fakes/fake-copy.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'

/** With the odd ones a little more than one page. */
const COUNT = 1100
const odd = ['a b+c%.png', 'あ&<"\'.png', '\u{1f600}.png', '\u{ff5e}.png', 'tab\there.png']
const wish = { contentType: 'image/png', cacheControl: 'public, max-age=315576000, immutable' }
const video = Buffer.alloc(6 * 1_048_576, 'moving pictures ')

let sandbox: Sandbox
let s3: S3Port
let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mastodon-r2-test-'))
  sandbox = await startSandbox({ domainMs: 0, keyMs: 0, startEmulator: lendEmulator })
  const client = connectCloudflare({ token: sandbox.bootstrapToken, baseUrl: sandbox.apiUrl })
  const at = { accountId: sandbox.accountId, bucket: 'media', jurisdiction: 'default' } as const
  const owner = { kind: 'account', accountId: sandbox.accountId } as const
  await client.createBucket(at)
  const minted = await client.mintKey(owner, { name: 'key', at, allowIps: [] })
  const key = { accessKeyId: minted.id, secretAccessKey: minted.secretAccessKey }
  s3 = connectS3({ endpoint: sandbox.s3Url(), bucket: 'media', key })
  const names = Array.from({ length: COUNT }, (_, index) => `${index % 7}/${index}.png`)
  const putting = fewAtOnce(16)
  for (const name of [...names, ...odd.map((one) => `odd/${one}`)]) {
    await putting.begin(() => both(name, Buffer.from(`picture of ${name}`)))
  }
  await putting.end()
  await both('video.mp4', video)
}, 120_000)
afterAll(async () => {
  await sandbox.close()
  await rm(root, { recursive: true, force: true })
})

async function both(key: string, body: Buffer): Promise<void> {
  const path = join(root, key)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, body)
  await (body.length > 5_242_880 ? s3.putMultipart(key, body, wish) : s3.put(key, body, wish))
}

async function compare(source = localTree(root), checksum = false) {
  const { migration, clock } = copyWorld()
  const from = { kind: 'folder', path: root } as const
  const told: Comparison[] = []
  const step = compareMedia(
    { ...migration, source, from, bucket: () => s3 },
    { usualModes: 'open', checksum, compared: (comparison) => void told.push(comparison) },
  )
  const before = sandbox.log.length
  const finding = await step.look({ clock, facts: {} })
  const asked = sandbox.log.slice(before).map(({ method }) => method)
  return { finding, comparison: told[0], asked }
}

test('a LIST for each 1,000 objects and nothing else', async () => {
  const { finding, comparison, asked } = await compare()
  expect(finding).toMatchObject({ is: 'ready' })
  expect(comparison).toMatchObject({ equal: true, same: { objects: COUNT + odd.length + 1 } })
  expect(asked).toEqual(['GET', 'GET'])
})

test('contents, of an upload in parts too', async () => {
  const { comparison } = await compare(localTree(root), true)
  expect(comparison).toMatchObject({ equal: true, contents: { notComparable: 0 } })
  await both('wrong.png', Buffer.from('one'))
  await writeFile(join(root, 'wrong.png'), 'two')
  const wrong = await compare(localTree(root), true)
  expect(wrong.comparison?.contentDiffers.examples).toEqual(['wrong.png'])
  expect(wrong.asked).toEqual(['GET', 'GET', 'HEAD'])
  await s3.delete('wrong.png')
  await rm(join(root, 'wrong.png'))
})

test('a bucket as the source lists the same', async () => {
  const { comparison, asked } = await compare(bucketSource(s3, 'media at the sandbox'))
  expect(comparison).toMatchObject({ equal: true, source: 'media at the sandbox' })
  expect(asked).toHaveLength(4)
})
