import { expect, test } from 'vitest'
import { removeLeftTests } from '../../src/setup/left-tests.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'

const now = new Date('2026-11-30T12:00:00Z')
const [old, young] = [now.getTime() - 3_700_000, now.getTime() - 60_000]
const hex = (digits: number) => '0a1b2c3d'.repeat(8).slice(0, digits)

const ours = [
  `${hex(32)}.txt`,
  `${hex(16)}-plain.txt`,
  `${hex(16)}-parts.bin`,
  `${hex(32)}-early.png`,
]
const others = [
  'notes.txt',
  `${hex(32)}.html`,
  `${hex(31)}.txt`,
  `sub/${hex(32)}.txt`,
  `${hex(40)}.txt`,
]

function bucketOf(lastModified: number) {
  const s3 = new FakeS3()
  const put = (key: string) =>
    s3.objects.set(key, {
      body: new Uint8Array(4),
      contentType: '',
      cacheControl: '',
      lastModified,
    })
  for (const name of [...ours, ...others]) put(`mastodon-r2-probe/${name}`)
  put(`media_attachments/${hex(32)}.txt`)
  return s3
}

const left = (s3: FakeS3) => ours.filter((name) => s3.objects.has(`mastodon-r2-probe/${name}`))

test.each([
  ['who only looks', false, young, ours],
  ['who only looks, an hour later', false, old, []],
  ['who holds the env file', true, young, ours.slice(1)],
  ['who holds the env file, an hour later', true, old, []],
] as const)('%s', async (_, holdsEnvFile, lastModified, expected) => {
  const s3 = bucketOf(lastModified)
  await removeLeftTests(s3, { now, holdsEnvFile })
  expect(left(s3)).toEqual(expected)
  expect(s3.objects.size).toBe(expected.length + others.length + 1)
})

test.each(['page', 'delete-many'] as const)('a refusal (%s) stops nothing', async (verb) => {
  const s3 = bucketOf(old)
  s3.refuse = (asked) => (asked === verb ? refusal('s3-403') : undefined)
  await removeLeftTests(s3, { now, holdsEnvFile: true })
  expect(left(s3)).toEqual(ours)
})

test('more than a page of them', async () => {
  const s3 = bucketOf(old)
  s3.pageSize = 2
  await removeLeftTests(s3, { now, holdsEnvFile: false })
  expect(left(s3)).toEqual([])
})
