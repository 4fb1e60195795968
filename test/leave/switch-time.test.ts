import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { textThere } from '../../src/leave/env-switch.ts'
import { switchTime } from '../../src/leave/switch-time.ts'
import { readEnvFile } from '../../src/services/mastodon/env-read.ts'
import { installationOf } from '../fakes/fake-world.ts'
import { scratch } from '../services/mastodon/scratch.ts'
import { leaving as toDisk } from './to-disk.ts'
import { leaving as toS3 } from './to-s3.ts'

const ACCOUNT = 'a'.repeat(32)
const onR2 = (key = '1') => `LOCAL_DOMAIN=social.example.com
# Media storage: Cloudflare R2, written by mastodon-r2
S3_ENABLED=true
S3_BUCKET=media
S3_REGION=auto
S3_ENDPOINT=https://${ACCOUNT}.r2.cloudflarestorage.com
S3_ALIAS_HOST=files.example.com
AWS_ACCESS_KEY_ID=${key.repeat(32)}
AWS_SECRET_ACCESS_KEY=${key.repeat(64)}
`
const day = (nth: number) => new Date(Date.UTC(2026, 0, nth, 12))

/** Backups by the day that each was made on, and the file as it is. */
async function timeOf(
  backups: Readonly<Record<number, string>>,
  text: string,
  {
    at,
    bucket = 'media',
  }: { readonly at: Awaited<ReturnType<typeof toDisk>>['at']; readonly bucket?: string },
): Promise<Date | undefined> {
  const file = join(scratch(), '.env.production')
  writeFileSync(file, text)
  for (const [nth, then] of Object.entries(backups)) {
    const stamp = day(Number(nth))
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, '')
    writeFileSync(`${file}.mastodon-r2-${stamp}.bak`, then)
  }
  const installation = { ...installationOf({}), envFile: await readEnvFile(file) }
  const left = { bucket, accountId: ACCOUNT }
  return switchTime({ there: at.there, installation, left, ownEndpoint: undefined })
}

describe.each([
  ['the disk', toDisk],
  ['another provider', toS3],
])('the switch to %s', (_, world) => {
  test('is told by the backup that was made in that moment', async () => {
    const { at } = await world()
    const switched = textThere(at, {}, onR2())
    expect(await timeOf({ 3: onR2(), 1: onR2('2') }, switched, { at })).toEqual(day(3))
  })

  test.each([
    ['a line of something else', (text: string) => `${text}SMTP_SERVER=mail.example.com\n`],
    ['a comment, and an empty line', (text: string) => `# mine\n\n${text}`],
    ['the patience', (text: string) => `${text}S3_READ_TIMEOUT=30\n`],
  ])('whatever was changed since: %s', async (_, change) => {
    const { at } = await world()
    expect(await timeOf({ 3: onR2() }, change(textThere(at, {}, onR2())), { at })).toEqual(day(3))
  })

  test('whatever this program has changed since', async () => {
    const { at } = await world()
    const switched = textThere(at, {}, onR2())
    const later = switched.replace(/^S3_REGION=.*$/m, 'S3_REGION=elsewhere')
    expect(await timeOf({ 3: onR2(), 5: switched }, later, { at })).toEqual(day(3))
  })

  test('the last of several', async () => {
    const { at } = await world()
    const switched = textThere(at, {}, onR2())
    const backups = { 3: onR2(), 4: switched, 9: onR2() }
    expect(await timeOf(backups, switched, { at })).toEqual(day(9))
  })

  test('is not known where it was another bucket, or no backup tells', async () => {
    const { at } = await world()
    const switched = textThere(at, {}, onR2())
    expect(await timeOf({ 3: onR2() }, switched, { at, bucket: 'other' })).toBeUndefined()
    expect(await timeOf({}, switched, { at })).toBeUndefined()
    expect(await timeOf({ 3: switched }, switched, { at })).toBeUndefined()
  })
})

test('who switched by hand after another change of this program may have copied nothing', async () => {
  const { at } = await toDisk()
  const byHand = onR2('2').replace('S3_ENABLED=true', 'S3_ENABLED=false')
  expect(await timeOf({ 3: onR2('1') }, byHand, { at })).toBeUndefined()
})
