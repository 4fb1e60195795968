import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { renderText, toType } from '../../src/core/to-type.ts'
import { r2Endpoint } from '../../src/flow/mastodon-here.ts'
import { leftFrom } from '../../src/leave/left-from.ts'
import { railsSettings, readEnvFile } from '../../src/services/mastodon/env-read.ts'
import { newProvider } from '../../src/setup/new-provider.ts'
import { ACCOUNT, HOST, installationOf } from '../fakes/fake-world.ts'
import { scratch } from '../services/mastodon/scratch.ts'

type Lines = Readonly<Record<string, string>>

const KEY = { AWS_ACCESS_KEY_ID: '1'.repeat(32), AWS_SECRET_ACCESS_KEY: '2'.repeat(64) }
const r2 = (bucket = 'media', on = 'true') => ({
  S3_ENABLED: on,
  S3_BUCKET: bucket,
  S3_REGION: 'auto',
  S3_ENDPOINT: r2Endpoint(ACCOUNT, 'default'),
  S3_ALIAS_HOST: HOST,
  ...KEY,
})
const wasabi = (on = 'true') => ({
  S3_ENABLED: on,
  S3_BUCKET: 'next',
  S3_REGION: 'eu-central-1',
  S3_ENDPOINT: 'https://s3.eu-central-1.wasabisys.com',
  S3_ALIAS_HOST: 'media.example.org',
  ...KEY,
})
const aws = (on = 'true') => {
  const { S3_ENDPOINT: _, ...rest } = wasabi(on)
  return rest
}
const swift = { SWIFT_ENABLED: 'true', SWIFT_CONTAINER: 'blue' }
const disk = { LOCAL_DOMAIN: 'example.com' }
const next = (lines: Lines = wasabi()) => newProvider(new Map(Object.entries(lines)), 'next.env')

const text = (lines: Lines) =>
  Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

interface Server {
  readonly now: Lines
  /** Backups, the oldest first. */
  readonly before?: readonly Lines[]
  /** What lies beside the env file. */
  readonly aside?: Lines
  /** A second env file, which loses. */
  readonly other?: Lines
}

async function server({ now, before = [], aside, other }: Server) {
  const folder = scratch()
  const path = join(folder, '.env.production')
  writeFileSync(path, text(now))
  for (const [nth, lines] of before.entries())
    writeFileSync(`${path}.mastodon-r2-2026110${nth + 1}T000000Z.bak`, text(lines))
  if (aside) writeFileSync(`${path}.r2`, text(aside))
  if (other) writeFileSync(join(folder, '.env'), text(other))
  const files = [path, ...(other ? [join(folder, '.env')] : [])]
  const envFiles = await Promise.all(files.map((file) => readEnvFile(file)))
  const [envFile] = envFiles
  if (!envFile) throw new Error('There is no env file.')
  return installationOf({ envFile, envFiles, settings: railsSettings(new Map(), envFiles) })
}

async function left(at: Server, provider?: ReturnType<typeof next>) {
  const how = provider ? ({ to: 's3', toEnv: 'next.env' } as const) : { mediaDir: '/srv/media' }
  const line = toType('leave', { stage: 'compare', ...how })
  const asked = { ownEndpoint: undefined, line }
  const { target, isSwitched } = await leftFrom(asked, await server(at), provider)
  return `${target.bucket}${isSwitched ? ', switched' : ''}`
}

describe('what is left is what Mastodon uses now', () => {
  test.each<[string, Server, ReturnType<typeof next> | undefined, string]>([
    ['R2, to the disk', { now: r2() }, undefined, 'media'],
    ['R2, on to another', { now: r2() }, next(), 'media'],
    ['R2, and another bucket is prepared', { now: r2(), aside: r2('two') }, undefined, 'media'],
  ])('%s', async (_, at, provider, expected) => {
    expect(await left(at, provider)).toBe(expected)
  })
})

describe('or what this way out has left', () => {
  test.each<[string, Server, ReturnType<typeof next> | undefined, string]>([
    ['the disk', { now: r2('media', 'false'), before: [disk, r2()] }, undefined, 'media, switched'],
    [
      'the disk, and the file was changed since',
      { now: r2('media', 'false'), before: [r2(), { ...r2('media', 'false'), A: 'b' }] },
      undefined,
      'media, switched',
    ],
    ['another provider', { now: wasabi(), before: [r2()] }, next(), 'media, switched'],
    [
      'another provider whose key was changed since',
      { now: wasabi(), before: [r2(), { ...wasabi(), AWS_ACCESS_KEY_ID: 'old' }] },
      next(),
      'media, switched',
    ],
    [
      'AWS, which needs no endpoint',
      { now: aws(), before: [r2()] },
      next(aws()),
      'media, switched',
    ],
    [
      'the disk, with settings in two files',
      { now: { S3_ENABLED: 'false' }, before: [{ S3_ENABLED: 'true' }], other: r2() },
      undefined,
      'media, switched',
    ],
  ])('%s', async (_, at, provider, expected) => {
    expect(await left(at, provider)).toBe(expected)
  })
})

describe('all else is refused before anything changes', () => {
  test.each<[string, Server, ReturnType<typeof next> | undefined, RegExp]>([
    ['nothing was ever on R2', { now: disk }, undefined, /its own disk/],
    [
      'a bucket lies prepared',
      { now: r2('media', 'false'), before: [disk] },
      undefined,
      /prepared/,
    ],
    ['one lies prepared aside', { now: disk, aside: r2() }, undefined, /its own disk/],
    [
      'another one is prepared since',
      { now: r2('two', 'false'), before: [r2()] },
      undefined,
      /prepared/,
    ],
    [
      '--to s3 was forgotten',
      { now: wasabi(), before: [r2()] },
      undefined,
      /next at s3.eu-central-1/,
    ],
    [
      'another provider is in use and R2 is prepared',
      { now: wasabi(), aside: r2() },
      undefined,
      /next at s3.eu-central-1/,
    ],
    ['AWS is in use and R2 is prepared', { now: aws(), aside: r2() }, undefined, /next at s3.*aws/],
    ['Swift is in use', { now: { ...r2('media', 'false'), ...swift } }, undefined, /Swift/],
    [
      'another provider was left for the disk',
      { now: wasabi('false'), before: [r2()] },
      undefined,
      /its own disk/,
    ],
    ['--to s3 on the disk', { now: r2('media', 'false'), before: [r2()] }, next(), /its own disk/],
    ['--to s3 with R2 prepared', { now: disk, aside: r2() }, next(), /its own disk/],
    ['--to s3 with another file', { now: wasabi(), before: [r2()] }, next(aws()), /next at s3.eu/],
    [
      '--to s3 with the same bucket name at AWS',
      { now: aws(), before: [r2()] },
      next(),
      /next at s3.*aws/,
    ],
  ])('%s', async (_, at, provider, why) => {
    const problem = await left(at, provider).catch((error: unknown) => error)
    expect(problem).toMatchObject({ code: 'not-on-r2', exit: 2, why: expect.stringMatching(why) })
  })

  test('a way out that led to another provider is named with what was forgotten', async () => {
    const of = async (at: Server, provider?: ReturnType<typeof next>) => {
      const problem = await left(at, provider).catch((error: unknown) => error)
      return renderText((problem as { next: string }).next)
    }
    expect(await of({ now: wasabi(), before: [r2()] })).toContain(
      'leave --stage compare --to s3 --to-env PATH',
    )
    expect(await of({ now: wasabi(), aside: r2() })).not.toContain('--to-env')
    const onDisk = await of({ now: r2('media', 'false'), before: [r2()] }, next())
    expect(onDisk).toMatch(
      /led to the disk, go on there:\n {2}npx mastodon-r2 leave --stage compare$/,
    )
  })

  test('a bucket that is in use and half told is never taken for the one that is prepared', async () => {
    const { S3_ALIAS_HOST: _, ...half } = r2()
    await expect(left({ now: half, aside: r2('two') })).rejects.toMatchObject({
      code: 'r2-lines-missing',
      exit: 2,
      why: expect.stringContaining('S3_ALIAS_HOST'),
    })
    await expect(left({ now: half }, next())).rejects.toMatchObject({ code: 'r2-lines-missing' })
  })

  test('a switch of which no backup tells where it began is no way out to go on with', async () => {
    await expect(left({ now: wasabi() }, next())).rejects.toMatchObject({
      code: 'left-bucket-unknown',
    })
    const other = { ...wasabi(), S3_BUCKET: 'first' }
    await expect(left({ now: wasabi(), before: [r2(), other] }, next())).rejects.toMatchObject({
      code: 'left-bucket-unknown',
    })
  })
})
