import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Report } from '../../src/plan/report.ts'
import { type Visit, visit } from '../sandbox/edge/visit.ts'
import type { Machine } from './machine.ts'
import { filledBucket, HOST, openStage, storeOf } from './stage.ts'

const limit = { timeout: 60_000 }
const INSTANCE = 'social.example.com'
const stage = await openStage({ emulator: 'eager', mastodon: { media: 300, bootMs: 50 } })
afterAll(() => stage.close())
const { sandbox } = stage
const { mastodon } = sandbox
if (!mastodon) throw new Error('There is no Mastodon.')
const at: Machine = { ...stage.machine(), dir: mastodon.dir }

const FOLDER = 'media_attachments/files/109/291/000/000/000/001'
const [original, small] = [`${FOLDER}/original/0a1b.jpg`, `${FOLDER}/small/0a1b.png`]
const other = 'media_attachments/files/109/291/000/000/000/002/original/ffff.jpg'
/** Id 1000000, and id 1000000001, whose folder begins alike. */
const short = 'accounts/avatars/001/000/000/original/aa.png'
const long = 'accounts/avatars/001/000/000/001/original/bb.png'

beforeAll(async () => {
  const ended = await stage.initHere(at, ['--media-host', HOST, '--existing-media', 'switch'])
  expect(ended.code, ended.stdout + ended.stderr).toBe(0)
})

beforeEach(async () => {
  sandbox.world.edge.cached.clear()
  sandbox.world.edge.missing.clear()
  const kept = [original, small, other, short, long]
  await filledBucket(stage, Object.fromEntries(kept.map((key) => [key, 100])))
  stage.forget()
})

const [port = 0] = sandbox.connectTo.map((value) => Number(value.split(':').at(-1)))
const browse = (path: string, more: Partial<Visit> = {}) =>
  visit({ port, ca: sandbox.caPem, host: HOST }, { path: `/${path}`, ...more })
const cacheOf = async (path: string, more: Partial<Visit> = {}) =>
  (await browse(path, { method: 'HEAD', ...more })).header('cf-cache-status')[0]

const url = (key: string) => `https://${HOST}/${key}`

/** `how`: as the built program, where that matters. */
async function purge(args: readonly string[], how: typeof stage.initHere = stage.initHere) {
  const { code, stdout, stderr } = await how(at, ['purge', '--json', ...args])
  expect(stdout, stderr).toMatch(/^\{/)
  return { ...(JSON.parse(stdout) as Report), code }
}

const purges = () => stage.writes().filter(({ path }) => path.endsWith('/purge_cache'))
const isThere = async (key: string) =>
  (await browse(`${key}?fresh=${Math.random()}`)).status === 200

test(
  'a purge: every size, query strings, copies for our own pages; the file stays',
  limit,
  async () => {
    const origin = { headers: { origin: `https://${INSTANCE}` } }
    for (const key of [original, small, other]) await browse(key)
    await browse(original, origin)
    await browse(`${original}?v=1`)
    expect([await cacheOf(original), await cacheOf(`${original}?v=1`)]).toEqual(['HIT', 'HIT'])
    const { code, purge: told } = await purge([url(original), '--yes'])
    expect(code).toBe(0)
    const old = `https://${INSTANCE}/system`
    expect(told?.proofs).toEqual([
      { url: url(original), status: 200, cache: 'MISS' },
      { url: url(small), status: 200, cache: 'MISS' },
      { url: `${old}/${original}`, status: 404, cache: null },
      { url: `${old}/${small}`, status: 404, cache: null },
    ])
    expect(await cacheOf(`${original}?v=1`)).toBe('MISS')
    expect(await cacheOf(original, origin)).toBe('MISS')
    expect(await cacheOf(other)).toBe('HIT')
    expect(await isThere(original)).toBe(true)
  },
)

test('--dry-run tells what it would do, and does nothing', limit, async () => {
  await browse(original)
  const { code, steps } = await purge([url(original), '--and-delete', '--dry-run'])
  expect(code).toBe(0)
  const changes = steps.flatMap((step) => step.changes.map(({ what, risk }) => [what, risk]))
  expect(changes).toContainEqual([expect.stringContaining(`delete ${small}`), 'destructive'])
  expect(changes).toContainEqual([`purge ${url(original)}`, 'safe'])
  expect(stage.writes()).toEqual([])
  expect(await cacheOf(original)).toBe('HIT')
})

describe('--and-delete', () => {
  test('from the bucket, then from the cache, and each address answers 404', limit, async () => {
    for (const key of [original, small]) await browse(key)
    const { code, purge: told } = await purge([url(small), '--and-delete', '--yes'], stage.init)
    expect(code).toBe(0)
    expect(told?.proofs.slice(0, 2).map(({ status }) => status)).toEqual([404, 404])
    expect([await isThere(original), await isThere(small), await isThere(other)]).toEqual([
      false,
      false,
      true,
    ])
    const again = await purge([url(small), '--and-delete', '--yes'])
    expect([again.code, again.steps[0]?.status]).toEqual([0, 'ready'])
  })

  test(
    'what the bucket lost long ago goes out of the cache, with its other size',
    limit,
    async () => {
      for (const key of [original, small]) await browse(key)
      await purge([url(original), '--and-delete', '--yes'])
      sandbox.world.edge.missing.clear()
      await filledBucket(stage, { [original]: 1, [small]: 1 })
      for (const key of [original, small]) await browse(key)
      // As Mastodon does: it deletes in the bucket, and the cache goes on.
      await storeOf(stage).deleteMany([original, small])
      expect(await cacheOf(small)).toBe('HIT')
      const { code } = await purge([url(original), '--yes'])
      expect(code).toBe(0)
      expect((await browse(small)).status).toBe(404)
    },
  )

  test('an id whose folder begins like that of another takes nothing of it', limit, async () => {
    const { code, steps } = await purge([url(short), '--and-delete', '--yes'])
    expect(code).toBe(0)
    expect(steps[0]?.changes).toHaveLength(1)
    expect([await isThere(short), await isThere(long)]).toEqual([false, true])
  })

  test('what the disk still serves is not gone, and that is said', limit, async () => {
    const onDisk = mastodon.tree.files.find(({ key }) => /^site_uploads\/[\w/.]+$/.test(key))
    const key = onDisk?.key ?? ''
    await filledBucket(stage, { [key]: 10 })
    const { code, problem } = await purge([url(key), '--and-delete', '--yes'])
    expect([code, problem?.code]).toEqual([1, 'still-served'])
    expect(problem?.what).toContain(`https://${INSTANCE}/system/${key}`)
    expect(await isThere(key)).toBe(false)
  })

  test('nobody agreed: nothing is done', limit, async () => {
    const { code, problem } = await purge([url(original), '--and-delete'])
    expect([code, problem?.code]).toEqual([2, 'not-agreed'])
    expect(stage.writes()).toEqual([])
  })

  test('a token that may not purge: refused before anything is deleted', limit, async () => {
    const [token] = sandbox.world.tokens
    if (!token) throw new Error('There is no token.')
    const all = token.policies
    token.policies = without(all, /Cache Purge/)
    try {
      const { code, problem } = await purge([url(original), '--and-delete', '--yes'])
      expect([code, problem?.code]).toEqual([1, 'purge-permission'])
      expect(problem?.next).toContain('%22cache%22')
      expect(problem?.next).not.toContain('workers_r2')
      expect(await isThere(original)).toBe(true)
    } finally {
      token.policies = all
    }
  })
})

describe('of posts and accounts, as the API shows them', () => {
  const ofPost = mastodon.tree.files
    .map(({ key }) => /^media_attachments\/files\/((?:\d{3}\/)+)original/.exec(key)?.[1])
    .find((digits) => digits !== undefined)
  const id = (ofPost ?? '').replaceAll('/', '').replace(/^0+/, '')
  const ofAccount = mastodon.tree.files
    .map(({ key }) => /^accounts\/avatars\/((?:\d{3}\/)+)original/.exec(key)?.[1])
    .find((digits) => digits !== undefined)
  const name = `u${(ofAccount ?? '').replaceAll('/', '').replace(/^0+/, '')}`

  test.each([
    ['a post by its path', `/@somebody/${id}`, `media_attachments/files/${ofPost}original/`],
    [
      'a post by its address',
      `https://${INSTANCE}/@somebody/${id}`,
      `media_attachments/files/${ofPost}original/`,
    ],
    ['an account', `/@${name}`, `accounts/avatars/${ofAccount}original/`],
  ])('%s', limit, async (_, address, folder) => {
    const { code, steps, problem } = await purge([address, '--dry-run'])
    expect([code, problem]).toEqual([0, null])
    expect(steps.flatMap(({ changes }) => changes.map(({ what }) => what)).join('\n')).toContain(
      `purge ${url(folder)}`,
    )
  })

  test('one that is not shown to everybody is refused', limit, async () => {
    const { code, problem } = await purge(['/@somebody/1', '--yes'])
    expect([code, problem?.code]).toEqual([2, 'post-not-shown'])
    expect(stage.writes()).toEqual([])
  })
})

test.each([
  [['https://files.other.example/a.png'], 'address-not-ours', 'files.other.example'],
  [[`https://${INSTANCE}/about`], 'address-not-ours', 'neither a file'],
  [[`https://${HOST}/`], 'address-not-ours', 'names no file'],
  [['not an address'], 'settings-wrong', 'not an address'],
  [['ftp://files.example.com/a'], 'settings-wrong', 'not an address'],
  [[], 'settings-missing', '--address'],
])('%j is refused, and nothing is asked of Cloudflare', limit, async (addresses, code, words) => {
  const { problem, code: exit } = await purge([...addresses, '--yes'])
  expect([exit, problem?.code]).toEqual([2, code])
  expect(JSON.stringify(problem)).toContain(words)
  expect(purges()).toEqual([])
})

test('one bad address among good ones stops all of them', limit, async () => {
  const { problem } = await purge([url(original), 'https://elsewhere.example/x.png', '--yes'])
  expect(problem?.why).toContain('elsewhere.example')
  expect(purges()).toEqual([])
})

interface Policy {
  permission_groups: { name: string }[]
}

function without(policies: unknown[], name: RegExp): Policy[] {
  return (JSON.parse(JSON.stringify(policies)) as Policy[]).map((policy) => ({
    ...policy,
    permission_groups: policy.permission_groups.filter((group) => !name.test(group.name)),
  }))
}
