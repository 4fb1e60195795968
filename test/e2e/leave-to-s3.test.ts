import { chmodSync, rmSync } from 'node:fs'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing, type Trap } from './migrating-server.ts'
import { type OtherBucket, otherBucket } from './old-bucket.ts'
import { HOST } from './stage.ts'
import { settingsOf } from './storage-lines.ts'

const NEXT = { bucket: 'next-media', host: 'next.example.com', file: 'next.env' }

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({ media: 8, uploadsPerSecond: 2 })
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}

let next: OtherBucket
/** When the test began; ISO 8601. */
let began = ''
/** Once is enough: the cut-over copies what came since. */
let isCopied = false
/** On R2, with people who upload there; the new bucket holds what a test before has brought. */
beforeEach(async () => {
  if (!server) return
  next ??= await newBucket()
  await server.back()
  for (const stage of isCopied ? ['cutover'] : ['copy', 'cutover']) {
    const { code, stdout, stderr } = await server.migrateHere(['--stage', stage, '--yes'])
    expect(code, stdout + stderr).toBe(0)
  }
  isCopied = true
  server.at.write(NEXT.file, lines())
  began = new Date().toISOString()
  await server.storesIn('bucket')
}, 120_000)

/** Its domain stands for the host that another provider gives media out at. */
async function newBucket(): Promise<OtherBucket> {
  const { stage } = the()
  const made = await otherBucket(stage, 'eu', NEXT.bucket)
  const [zone] = stage.sandbox.world.zones
  const domain = { domain: NEXT.host, zoneId: zone?.id, enabled: true }
  expect(await made.call(`/${NEXT.bucket}/domains/custom`, domain)).toBe(200)
  return made
}

async function keys(): Promise<string[]> {
  return [...(await there()).keys()]
}

/** ETag by key. */
async function there(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const page of next.s3.pages()) for (const { key, etag } of page) found.set(key, etag)
  return found
}

function lines(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const all = {
    S3_BUCKET: NEXT.bucket,
    S3_REGION: 'eu-1',
    S3_ENDPOINT: next.endpoint,
    S3_ALIAS_HOST: NEXT.host,
    S3_OPEN_TIMEOUT: '10',
    AWS_ACCESS_KEY_ID: next.accessKeyId,
    AWS_SECRET_ACCESS_KEY: next.secretAccessKey,
    ...changes,
  }
  return Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

const words = (stage: string, args: readonly string[]) => [
  ...['leave', '--to', 's3', '--to-env', NEXT.file],
  ...['--stage', stage, ...args],
]
const leave = (stage: string, args: readonly string[] = []) =>
  the().stage.init(the().at, words(stage, args), { env: the().env })
const leaveHere = (stage: string, args: readonly string[] = []) =>
  the().stage.initHere(the().at, words(stage, args), { env: the().env })
const trap = (args: string, then: Trap['then']) => the().trap({ program: 'systemctl', args, then })

/** What was uploaded in this test, and is not there with its bytes. */
function missingIn(found: ReadonlyMap<string, string>) {
  const stored = the()
    .uploads()
    .filter(({ error, at }) => error === undefined && at > began)
  expect(stored.length).toBeGreaterThan(0)
  return stored.filter(({ key, md5 }) => found.get(key) !== md5)
}

async function isThere(): Promise<void> {
  const { at, storesIn } = the()
  const now = settingsOf(at.read())
  expect(now).toMatchObject({
    S3_ENABLED: 'true',
    S3_BUCKET: NEXT.bucket,
    S3_ENDPOINT: next.endpoint,
    S3_ALIAS_HOST: NEXT.host,
    S3_PERMISSION: 'public-read',
    S3_OPEN_TIMEOUT: '10',
    AWS_ACCESS_KEY_ID: next.accessKeyId,
  })
  expect(now.EXTRA_MEDIA_HOSTS).toContain(`https://${HOST}`)
  expect(at.read()).not.toContain('Cloudflare R2')
  await storesIn('bucket')
  expect(missingIn(await there())).toEqual([])
}

async function isOnR2(before: string): Promise<void> {
  const { at, storesIn, stored } = the()
  expect(at.read()).toBe(before)
  await storesIn('bucket')
  expect(missingIn(await stored())).toEqual([])
}

const limit = { timeout: 120_000 }

describe.skipIf(rcloneMissing)(`on to another S3 provider ${rcloneMissing ?? ''}`, () => {
  test('copied, switched while people upload, compared; R2 is as it was', limit, async () => {
    const survey = await leaveHere('survey')
    expect(survey.code, survey.stdout).toBe(0)
    expect(survey.stdout).toMatch(/\d+ files .* would come to next-media at /)
    expect(survey.stdout).not.toContain('chmod')
    const path = the().at.path(NEXT.file)
    chmodSync(path, 0o644)
    expect((await leaveHere('survey')).stdout).toContain(`chmod 600 ${path}`)
    chmodSync(path, 0o600)
    const held = await keys()
    expect((await leaveHere('copy', ['--dry-run'])).code).toBe(0)
    expect(await keys()).toEqual(held)
    const copied = await leaveHere('copy', ['--yes', '--transfers', '4'])
    expect(copied.code, copied.stdout + copied.stderr).toBe(0)
    const head = await next.s3.head((await keys())[0] ?? '')
    expect(head?.cacheControl).toContain('immutable')
    const onR2 = await the().stored()
    const switched = await leave('cutover', ['--yes'])
    expect(switched.code, switched.stdout + switched.stderr).toBe(0)
    expect(switched.stdout).toContain('Mastodon stores its media in the new bucket.')
    await isThere()
    const left = await the().stored()
    for (const [key, etag] of onR2) expect([key, left.get(key)]).toEqual([key, etag])
    const compared = await leaveHere('compare', ['--checksum'])
    expect(compared.code, compared.stdout).toBe(0)
    expect(compared.stdout).toContain('contents are equal')
    const again = await leaveHere('cutover', ['--yes', '--json'])
    expect(again.code, again.stdout).toBe(0)
    expect(JSON.parse(again.stdout).steps).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ id: 'env-switch', status: 'ready' })]),
    )
    expect((await keys()).filter((key) => key.startsWith('mastodon-r2-probe'))).toEqual([])
    const forgotten = ['leave', '--stage', 'redirects', '--yes', '--json']
    const refused = await the().stage.initHere(the().at, forgotten, { env: the().env })
    expect([refused.code, JSON.parse(refused.stdout).problem]).toMatchObject([
      2,
      { code: 'not-on-r2', next: expect.stringContaining('--to s3 --to-env PATH') },
    ])
    const led = await leaveHere('redirects', ['--yes'])
    expect(led.code, led.stdout).toBe(0)
    expect(led.stdout).toContain(`https://${HOST}/... leads to https://${NEXT.host}/...`)
    // The bucket on R2 is asked at its own host in the tests that follow.
    const undone = await leaveHere('redirects', ['--undo', '--yes'])
    expect(undone.code, undone.stdout).toBe(0)
    const said = [survey, copied, switched, compared, again].map(
      ({ stdout, stderr }) => stdout + stderr,
    )
    expect(said.join('')).not.toContain(next.secretAccessKey)
  })

  test('nothing starts again at once: everything goes back, with what came in between', async () => {
    const before = the().at.read()
    trap('start*', 'fail-once')
    const { code, stdout } = await leaveHere('cutover', ['--yes', '--stop'])
    expect(code, stdout).toBe(1)
    expect(stdout).toContain('Not switched; everything is back as it was.')
    await isOnR2(before)
  })

  test('Ctrl-C while Mastodon restarts: what was stored in the new bucket is on R2 again', async () => {
    const before = the().at.read()
    trap('restart*', 'interrupt-once')
    const { code, stdout } = await leave('cutover', ['--yes'])
    expect(code, stdout).toBe(130)
    expect(stdout).toContain('Not switched; everything is back as it was.')
    await isOnR2(before)
  })

  test.each([
    ['while Sidekiq goes to rest', 'kill*TSTP*', 'kill-after'],
    ['while Mastodon restarts', 'restart*', 'kill-before'],
  ] as const)('killed %s: the next run brings it to its end', async (_, args, then) => {
    trap(args, then)
    const killed = await leave('cutover', ['--yes'])
    expect(killed.signal).toBe('SIGKILL')
    trap('nothing', 'fail')
    const { code, stdout, stderr } = await leaveHere('cutover', ['--yes'])
    expect(code, stdout + stderr).toBe(0)
    await isThere()
  })

  test('what cannot be used is refused before anything changes, and never with advice about R2', async () => {
    const { at, stage } = the()
    const before = at.read()
    const held = await keys()
    const cases: readonly [Readonly<Record<string, string | undefined>>, string, number][] = [
      [{ AWS_SECRET_ACCESS_KEY: 'f'.repeat(64) }, 's3-403', 1],
      [{ AWS_ACCESS_KEY_ID: '0'.repeat(32) }, 's3-401', 1],
      [{ S3_BUCKET: 'no-such-bucket' }, 's3-40[34]', 1],
      [{ S3_ALIAS_HOST: 'nobody.example.com' }, 'new-host-not-public', 1],
      [
        { S3_BUCKET: 'social-example-com-media', S3_ENDPOINT: stage.sandbox.s3Url() },
        'new-provider-is-source',
        2,
      ],
      [
        { S3_ENDPOINT: `https://${'a'.repeat(32)}.r2.cloudflarestorage.com` },
        'new-provider-is-r2',
        2,
      ],
      [{ S3_ENABLED: 'false' }, 'new-provider-lines', 2],
      [{ S3_KEY_PREFIX: 'media' }, 'new-provider-lines', 2],
      [{ S3_PROTOCOL: 'http' }, 'new-provider-lines', 2],
      [{ DB_HOST: 'localhost' }, 'new-provider-lines', 2],
      [{ S3_BUCKET: undefined }, 'new-provider-lines', 2],
      [{ S3_ENDPOINT: 's3.example.net' }, 'new-provider-lines', 2],
    ]
    for (const [changes, problem, exit] of cases) {
      at.write(NEXT.file, lines(changes))
      const args = [
        'leave',
        '--to',
        's3',
        '--to-env',
        NEXT.file,
        '--stage',
        'cutover',
        '--yes',
        '--json',
      ]
      const { code, stdout } = await stage.initHere(at, args, { env: the().env })
      const told = JSON.parse(stdout).problem
      expect([changes, code, told?.code]).toEqual([changes, exit, expect.stringMatching(problem)])
      if (exit === 1) expect(told.next).not.toMatch(/R2|Cloudflare|check/)
      expect(at.read()).toBe(before)
    }
    rmSync(at.path(NEXT.file))
    const gone = await leaveHere('survey', ['--json'])
    expect([gone.code, JSON.parse(gone.stdout).problem.code]).toEqual([2, 'new-provider-file'])
    expect(await keys()).toEqual(held)
    await isOnR2(before)
  })
})
