import { describe, expect, test } from 'vitest'
import type { Problem } from '../../src/core/problem.ts'
import { newHost, providerProbe } from '../../src/leave/new-host.ts'
import type { PutOptions } from '../../src/services/s3/port.ts'
import { newProvider } from '../../src/setup/new-provider.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'
import { FakeWeb } from '../fakes/fake-web.ts'
import { FakeClock, HOST, installationOf, setupOf } from '../fakes/fake-world.ts'

const given = {
  S3_BUCKET: 'next',
  S3_ENDPOINT: 'https://s3.example.net',
  S3_ALIAS_HOST: HOST,
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'a-secret-key',
}
const PUBLIC = 'public-read'

interface Situation {
  readonly lines?: Readonly<Record<string, string>>
  /** What the rclone of this machine sends where no ACL is told. */
  readonly instead?: string
  /** ACLs that the bucket takes; every one unless told. */
  readonly takes?: readonly (string | undefined)[]
}

/** Before anything goes to another provider's bucket. */
function trying({ lines = {}, instead, takes }: Situation = {}) {
  const provider = newProvider(new Map(Object.entries({ ...given, ...lines })), 'next.env')
  const next = new FakeS3()
  const web = new FakeWeb(next)
  const sent: PutOptions[] = []
  for (const verb of ['put', 'putMultipart'] as const) {
    const own = next[verb].bind(next)
    next[verb] = async (key: string, body: Uint8Array, wish: PutOptions): Promise<never> => {
      sent.push(wish)
      if (takes && !takes.includes(wish.acl)) throw refusal('s3-400')
      return (await own(key, body, wish)) as never
    }
  }
  const facts = { keyProven: true as const, accessKey: { ...provider.place.key, minted: true } }
  const settings = new Map([...provider.lines].map(([name, value]) => [name, { value, from: 'x' }]))
  const installation = installationOf({ settings })
  const place = { ...setupOf(), installation, keeping: provider.keeping }
  const at = { web, connectS3: next.connect, place, clock: new FakeClock(), facts }
  const rclone = { acl: async () => provider.acl ?? instead }
  const probe = () =>
    providerProbe(provider, rclone).change?.({ ...at, facts: { accessKey: at.facts.accessKey } })
  const host = newHost(provider, rclone)
  const acls = () => [...new Set(sent.map(({ acl }) => acl))]
  return { at, host, next, web, probe, sent, acls }
}

describe('test files are uploaded as Mastodon and the copy do it, and none stays', () => {
  test.each<[string, Situation, (string | undefined)[]]>([
    ['an ACL, and that of what nobody else may see', {}, [PUBLIC, 'private']],
    ['all of it private', { lines: { S3_PERMISSION: 'private' } }, ['private']],
    ['no ACL', { lines: { S3_PERMISSION: '' } }, [undefined]],
    [
      'no ACL, and an rclone that sends one all the same',
      { lines: { S3_PERMISSION: '' }, instead: 'private' },
      [undefined, 'private'],
    ],
  ])('%s', async (_, situation, acls) => {
    const made = trying(situation)
    await made.probe()
    expect(made.acls()).toEqual(acls)
    await made.host.change?.(made.at)
    expect(made.acls()).toEqual(acls)
    expect(made.next.objects.size).toBe(0)
  })

  test('the class to store them in is sent along, each time', async () => {
    const { at, host, probe, sent } = trying({ lines: { S3_STORAGE_CLASS: 'ONEZONE_IA' } })
    await probe()
    await host.change?.(at)
    expect(new Set(sent.map(({ storageClass }) => storageClass))).toEqual(new Set(['ONEZONE_IA']))
  })
})

test.each([
  [undefined, ['CRC32']],
  ['WHEN_REQUIRED', []],
])('checksums are sent as the SDK of Mastodon is told: %s', async (told, expected) => {
  const lines = told === undefined ? {} : { AWS_REQUEST_CHECKSUM_CALCULATION: told }
  const { probe, sent } = trying({ lines })
  await probe()
  expect([...new Set(sent.flatMap(({ checksum }) => checksum ?? []))]).toEqual(expected)
})

describe('a bucket that takes what Mastodon sends, and not what the copy does', () => {
  test.each<[string, Situation, string]>([
    [
      'an rclone that sends an ACL of its own',
      { lines: { S3_PERMISSION: '' }, instead: 'private', takes: [undefined] },
      'Install rclone 1.61',
    ],
    ['hidden media', { takes: [PUBLIC] }, 'S3_PERMISSION='],
  ])('is told before anything is copied: %s', async (_, situation, words) => {
    const { probe, next } = trying(situation)
    await expect(probe()).rejects.toMatchObject({
      code: 'new-bucket-acl',
      what: expect.stringContaining('the ACL private'),
      next: expect.stringContaining(words),
    })
    expect(next.objects.size).toBe(0)
  })

  test('another failure is told as it is', async () => {
    const { probe, next } = trying({ lines: { S3_PERMISSION: '' }, instead: 'private' })
    let puts = 0
    next.refuse = (verb) => {
      if (verb === 'put') puts += 1
      return puts > 2 ? refusal('s3-unreachable') : undefined
    }
    await expect(probe()).rejects.toMatchObject({ code: 's3-unreachable' })
  })

  test('nor are its copies seen that carry an ACL', async () => {
    const { at, host, web, next } = trying({ lines: { S3_PERMISSION: '' }, instead: 'private' })
    web.alter = (answer, _, url) => {
      const acl = next.objects.get(new URL(url).pathname.slice(1))?.acl
      return acl === 'private' ? { status: 403, headers: [], body: new Uint8Array() } : answer
    }
    await expect(host.change?.(at)).rejects.toMatchObject({
      code: 'new-copies-not-public',
      next: expect.stringContaining('rclone 1.61'),
    })
  })
})

describe('what visitors get', () => {
  test.each([
    [403, 'new-host-not-public', 'the ACL public-read'],
    [404, 'new-host-not-public', 'S3_ALIAS_HOST'],
  ])('%i is told', async (status, code, words) => {
    const { at, host, web } = trying()
    web.alter = () => ({ status, headers: [], body: new Uint8Array() })
    const problem = await host.change?.(at)?.catch((error: Problem) => error)
    expect(problem).toMatchObject({ code })
    expect(String((problem as Problem).next)).toContain(words)
  })

  test('a bucket that lists what it holds is not gone on to', async () => {
    const { at, host, web } = trying()
    web.alter = (answer, _, url) =>
      url.endsWith('/')
        ? { ...answer, status: 200, body: Buffer.from('<ListBucketResult>') }
        : answer
    await expect(host.change?.(at)).rejects.toMatchObject({ code: 'new-host-lists' })
  })

  test('without CORS pictures are shown, and it is told', async () => {
    const { at, host, web } = trying()
    web.alter = (answer) => ({
      ...answer,
      headers: answer.headers.filter(([name]) => name !== 'access-control-allow-origin'),
    })
    const facts = { ...at.facts, ...(await host.change?.(at)) }
    expect(await host.look({ ...at, facts })).toMatchObject({
      is: 'ready',
      warnings: [expect.stringContaining('CORS')],
    })
  })
})
