import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { KeyPack } from '../../src/core/key-pack.ts'
import { compareKeys } from '../../src/core/streams.ts'
import type { Report } from '../../src/plan/report.ts'
import { checkpointId, openCheckpoint } from '../../src/services/checkpoint/checkpoint.ts'
import { openLists } from '../../src/services/lists/lists.ts'
import { visit } from '../sandbox/edge/visit.ts'
import type { Machine } from './machine.ts'
import { filledBucket, HOST, openStage, storeOf } from './stage.ts'

const limit = { timeout: 60_000 }
const DAY = 86_400_000
const stage = await openStage({ emulator: 'eager', mastodon: { media: 60, bootMs: 50 } })
afterAll(() => stage.close())
const { sandbox } = stage
const { mastodon } = sandbox
if (!mastodon) throw new Error('There is no Mastodon.')
const at: Machine = { ...stage.machine(), dir: mastodon.dir }

const picture = 'media_attachments/files/109/291/000/000/000/001/original/0a1b.jpg'
const small = 'media_attachments/files/109/291/000/000/000/001/small/0a1b.png'
const cached = 'cache/media_attachments/files/109/291/000/000/000/002/original/ffff.jpg'
const stays = 'accounts/avatars/001/000/000/original/aa.png'
/** A file that Mastodon knows, and one that it has on the disk as well. */
const ofMastodon =
  mastodon.tree.files.map(({ key }) => key).find((key) => /^[\w/.]+$/.test(key)) ?? ''

beforeAll(async () => {
  const ended = await stage.initHere(at, [
    'init',
    '--yes',
    '--media-host',
    HOST,
    '--existing-media',
    'switch',
  ])
  expect(ended.code, ended.stdout + ended.stderr).toBe(0)
})

const stateHome = join(at.home, '.local/state')
const lists = () =>
  openLists({
    stateHome,
    endpoint: sandbox.s3Url(),
    bucket: sandbox.world.buckets[0]?.name ?? '',
  })

beforeEach(async () => {
  sandbox.world.edge.cached.clear()
  sandbox.world.edge.missing.clear()
  rmSync(lists().path, { recursive: true, force: true })
  mastodon.deleted.clear()
  await filledBucket(
    stage,
    Object.fromEntries([picture, small, cached, stays].map((key) => [key, 100])),
  )
  stage.forget()
})

async function pack(keys: readonly string[]) {
  const made = new KeyPack()
  await made.add([...keys].sort(compareKeys))
  return made.end()
}

const now = Date.now()

/** A list as a run so long ago would have kept it. */
async function keptAgo(ms: number, keys: readonly string[], gone?: readonly string[], fromMs = 0) {
  await lists().keep({
    at: new Date(now - ms),
    keys: await pack(keys),
    gone: gone && { from: new Date(now - fromMs), first: 'list', keys: await pack(gone) },
  })
}

const [port = 0] = sandbox.connectTo.map((value) => Number(value.split(':').at(-1)))
const browse = (path: string) =>
  visit({ port, ca: sandbox.caPem, host: HOST }, { path: `/${path}`, method: 'HEAD' })
const cacheOf = async (path: string) => (await browse(path)).header('cf-cache-status')[0]
const fill = async (...keys: readonly string[]) => {
  for (const key of keys) await visit({ port, ca: sandbox.caPem, host: HOST }, { path: `/${key}` })
}

async function purge(args: readonly string[], env = {}) {
  const { code, stdout, stderr } = await stage.initHere(at, ['purge', '--json', ...args], { env })
  expect(stdout, stderr).toMatch(/^\{/)
  return { ...(JSON.parse(stdout) as Report), code }
}

const purges = () => stage.writes().filter(({ path }) => path.endsWith('/purge_cache'))
const all = [picture, small, cached, stays]

describe('what Mastodon deleted', () => {
  test('leaves the cache, file by file, and the list is kept anew', limit, async () => {
    await keptAgo(8 * DAY, all)
    await fill(...all)
    await storeOf(stage).deleteMany([picture, small, cached])
    expect(await cacheOf(picture)).toBe('HIT')
    const { code, purge: told, problem } = await purge(['--deleted-since', '7d', '--yes'])
    expect([code, problem]).toEqual([0, null])
    expect(told?.since?.gone).toEqual({
      objects: 3,
      examples: [cached, picture, small],
      kinds: [
        { title: 'attachments of others', objects: 1 },
        { title: 'attachments', objects: 2 },
      ],
    })
    const answers = told?.proofs.filter(({ url }) => url.includes(HOST))
    expect(answers?.map(({ status }) => status)).toEqual([404, 404, 404])
    expect((await browse(picture)).status).toBe(404)
    expect(await cacheOf(stays)).toBe('HIT')
    const kept = await lists().read()
    expect(kept && Date.now() - kept.at.getTime()).toBeLessThan(60_000)
  })

  test('also where it went between two lists that were kept, and not before', limit, async () => {
    const older = 'media_attachments/files/109/291/000/000/000/009/original/9999.jpg'
    await keptAgo(9 * DAY, [...all, older])
    await keptAgo(8 * DAY, all, [older], 9 * DAY)
    await keptAgo(2 * DAY, [cached, stays], [picture, small], 8 * DAY)
    await storeOf(stage).deleteMany([picture, small])
    const { purge: told } = await purge(['--deleted-since', '7d', '--dry-run'])
    expect(told?.since).toMatchObject({ lists: 3, longestGap: 6 * DAY, gone: { objects: 2 } })
    const further = await purge(['--deleted-since', '9d', '--dry-run'])
    expect(further.purge?.since?.gone?.objects).toBe(3)
  })

  test('and came back is not gone', limit, async () => {
    await keptAgo(8 * DAY, [stays])
    await keptAgo(2 * DAY, [stays], [picture], 8 * DAY)
    const { purge: told, steps } = await purge(['--deleted-since', '2d', '--dry-run'])
    expect(told?.since?.gone?.objects).toBe(0)
    expect(steps[0]).toMatchObject({ id: 'purge-gone', status: 'ready' })
  })

  test('is looked for on the disk, told with its size, and left there', limit, async () => {
    await keptAgo(8 * DAY, [...all, ofMastodon])
    mastodon.deleted.add(ofMastodon)
    const path = join(mastodon.dir, 'public/system', ofMastodon)
    const { size } = statSync(path)
    const { purge: told } = await purge(['--deleted-since', '7d', '--yes'])
    expect(told?.since?.disk).toMatchObject({ objects: 1, bytes: size })
    expect(statSync(path).size).toBe(size)
  })

  test('the last words name what is left, and the line for it', limit, async () => {
    await keptAgo(8 * DAY, [...all, ofMastodon])
    mastodon.deleted.add(ofMastodon)
    const { stdout } = await stage.init(at, ['purge', '--deleted-since', '7d', '--dry-run'])
    expect(stdout).toContain('Still on the disk')
    expect(stdout).toContain('S3_ENABLED=false')
    expect(stdout).toContain('remove-orphans --dry-run')
    expect(stdout).toContain('in none of them')
  })

  test('a dry run purges nothing and keeps no list', limit, async () => {
    await keptAgo(8 * DAY, all)
    const before = (await lists().read())?.at
    await fill(picture)
    await storeOf(stage).deleteMany([picture])
    const { code, steps } = await purge(['--deleted-since', '7d', '--dry-run'])
    expect(code).toBe(0)
    expect(steps.map(({ id }) => id)).toEqual(['purge-gone', 'keep-list'])
    expect(purges()).toEqual([])
    expect(await cacheOf(picture)).toBe('HIT')
    expect((await lists().read())?.at).toEqual(before)
  })
})

test('a list of a day to come is told of, and nothing that was known is lost', limit, async () => {
  await keptAgo(9 * DAY, all)
  await keptAgo(-DAY, [cached, stays], [picture, small], 9 * DAY)
  const { purge: told, warnings } = await purge(['--keep-list', '--yes'])
  expect(warnings.join(' ')).toMatch(
    /which is still to come: the clock .* was wrong then, or is now/,
  )
  expect(told?.since).toMatchObject({ knownFrom: new Date(now - 9 * DAY).toISOString(), lists: 2 })
  await storeOf(stage).deleteMany([picture, small, cached])
  const later = await purge(['--deleted-since', '7d', '--dry-run'])
  expect(later.warnings.join(' ')).not.toContain('still to come')
  expect(later.purge?.since).toMatchObject({ lists: 3, gone: { objects: 3 } })
})

test('what Mastodon still knows may be a loss: told, and not purged', limit, async () => {
  await keptAgo(8 * DAY, [...all, ofMastodon])
  const { code, purge: told, warnings } = await purge(['--deleted-since', '7d', '--yes'])
  expect(code).toBe(0)
  expect(told?.since).toMatchObject({
    gone: { objects: 0 },
    missing: { objects: 1, examples: [ofMastodon] },
  })
  expect(warnings.join(' ')).toContain('It was lost, or taken from the bucket alone')
  expect(purges()).toEqual([])
})

test('names that are not of Mastodon are left alone, and counted', limit, async () => {
  await keptAgo(8 * DAY, [...all, 'own/logo.png', 'notes/pages/000/000/001/original/a.png'].sort())
  const { purge: told } = await purge(['--deleted-since', '7d', '--yes'])
  expect(told?.since).toMatchObject({ gone: { objects: 0 }, others: 2 })
  expect(purges()).toEqual([])
})

test('where no list was kept yet, what migrate copied is known', limit, async () => {
  const [endpoint, bucket] = [sandbox.s3Url(), sandbox.world.buckets[0]?.name ?? '']
  const id = checkpointId(join(mastodon.dir, 'public/system'), endpoint, bucket)
  const checkpoint = openCheckpoint({ stateHome, id })
  await checkpoint.record([stays, small, picture, small])
  const copied = (now - 30 * DAY) / 1000
  utimesSync(join(checkpoint.path, 'copied.jsonl'), copied, copied)
  try {
    await storeOf(stage).deleteMany([picture])
    const { purge: told } = await purge(['--deleted-since', '7d', '--yes'])
    expect(told?.since).toMatchObject({ begins: 'copy', gone: { objects: 1, examples: [picture] } })
    const [gone] = (await lists().read())?.gone ?? []
    expect([gone?.first, gone?.from.getTime()]).toEqual(['copy', copied * 1000])
  } finally {
    rmSync(checkpoint.path, { recursive: true })
  }
})

describe('is refused', () => {
  test('without a list: with the line that keeps one', limit, async () => {
    const { code, problem } = await purge(['--deleted-since', '7d', '--yes'])
    expect([code, problem?.code]).toEqual([2, 'not-known-so-far'])
    expect(problem?.next).toMatch(/purge .*--keep-list\b/)
  })

  test('with a list that is younger: with the time that is known', limit, async () => {
    await keptAgo(3 * DAY, all)
    const { code, problem } = await purge(['--deleted-since', '7d', '--yes'])
    expect([code, problem?.code]).toEqual([2, 'not-known-so-far'])
    expect(problem?.next).toContain('--deleted-since 3d')
    const next = await purge(['--deleted-since', '3d', '--yes'])
    expect(next.code).toBe(0)
  })

  test('a gap in what was kept is where the knowledge begins', limit, async () => {
    await keptAgo(9 * DAY, all)
    await keptAgo(5 * DAY, all)
    const { problem } = await purge(['--deleted-since', '7d', '--yes'])
    expect(problem?.code).toBe('not-known-so-far')
  })

  test.each([
    [['--deleted-since', 'soon'], 'settings-wrong'],
    [['--deleted-since', '7d', '/@somebody/1'], 'settings-contradict'],
    [['--deleted-since', '7d', '--and-delete'], 'settings-contradict'],
    [['--keep-list', '--and-delete'], 'settings-contradict'],
    [['--keep-list', '--account-id', 'f'.repeat(32)], 'flag-without-effect'],
    [['--keep-list', '--api-token-file', 'token'], 'flag-without-effect'],
    [['--keep-list', '--cloudflare-api-url', 'http://127.0.0.1:9'], 'flag-without-effect'],
  ])('%j', limit, async (args, code) => {
    const file = join(at.dir, 'token')
    writeFileSync(file, sandbox.bootstrapToken.reveal(), { mode: 0o600 })
    const given = args.map((word) => (word === 'token' ? file : word))
    const { code: exit, problem } = await purge([...given, '--yes'])
    expect([exit, problem?.code]).toEqual([2, code])
  })
})

describe('--keep-list', () => {
  test(
    'keeps what the bucket holds, asks Cloudflare nothing, and needs no token',
    limit,
    async () => {
      const requests = sandbox.log.length
      const { code, purge: told } = await purge(['--keep-list', '--yes'], {
        CLOUDFLARE_API_TOKEN: '',
      })
      expect(code).toBe(0)
      expect(told?.since).toMatchObject({ knownFrom: null, gone: null })
      const api = sandbox.log.slice(requests).filter(({ path }) => path.startsWith('/client/v4'))
      expect(api).toEqual([])
      const keys = []
      for await (const some of (await lists().read())?.keys() ?? []) keys.push(...some)
      expect(keys.map(({ key }) => key)).toEqual(expect.arrayContaining([picture, stays]))
      expect(statSync(join(lists().path, 'list.gz')).mode & 0o777).toBe(0o600)
      expect(statSync(lists().path).mode & 0o777).toBe(0o700)
    },
  )

  test('variables for other runs are no fault, and stand in no line', limit, async () => {
    const env = { CLOUDFLARE_ACCOUNT_ID: 'f'.repeat(32) }
    const { code, next } = await purge(['--keep-list', '--dry-run'], env)
    expect([code, next.at(-1)]).toEqual([0, expect.stringMatching(/ --keep-list --yes$/)])
    expect(next.at(-1)).not.toMatch(/CLOUDFLARE_API_TOKEN|--account-id|--cloudflare-api-url/)
  })

  test('a dry run keeps none; without --yes nobody has agreed', limit, async () => {
    const dry = await purge(['--keep-list', '--dry-run'])
    expect([dry.code, await lists().read()]).toEqual([0, undefined])
    const { code, problem } = await purge(['--keep-list'])
    expect([code, problem?.code]).toEqual([2, 'not-agreed'])
  })

  test('by cron it says nothing, but for the first time and in its report', limit, async () => {
    const kept = (...more: string[]) =>
      stage.initHere(at, ['purge', '--keep-list', '--yes', '--quiet', ...more])
    expect((await kept()).stdout).toContain('This is the first list.')
    expect(await kept()).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect(JSON.parse((await kept('--json')).stdout)).toMatchObject({ ok: true })
  })

  test('the next one notes what went in between', limit, async () => {
    await keptAgo(1 * DAY, all)
    await storeOf(stage).deleteMany([picture])
    await purge(['--keep-list', '--yes'])
    const [gone] = (await lists().read())?.gone ?? []
    const keys = []
    for await (const some of gone?.keys() ?? []) keys.push(...some)
    expect(keys).toEqual([{ key: picture }])
  })
})
