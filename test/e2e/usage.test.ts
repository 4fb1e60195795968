import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Report } from '../../src/plan/report.ts'
import { noteDays, type StoredDay } from './analytics-history.ts'
import { runHere } from './in-process.ts'
import type { Machine } from './machine.ts'
import { run } from './program.ts'
import { filledBucket, HOST, openStage } from './stage.ts'

const limit = { timeout: 60_000 }
const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())
let at: Machine

const media: Readonly<Record<string, number>> = {
  'accounts/avatars/000/000/001/original/a.png': 1000,
  'media_attachments/files/000/000/001/original/b.mov': 5000,
  'cache/media_attachments/files/000/000/002/original/c.jpg': 3000,
  'cache/preview_cards/images/000/000/003/original/d.jpg': 200,
  'backups/dumps/000/000/004/original/e.zip': 700,
}

beforeAll(async () => {
  at = stage.machine()
  const { code, stdout, stderr } = await stage.initHere(at)
  expect(code, stdout + stderr).toBe(0)
  await filledBucket(stage, media)
})

interface Wish {
  readonly token?: string
  readonly env?: Readonly<Record<string, string>>
}

/** `how`: as the built program, where that matters. */
function ask(args: readonly string[], { token, env = {} }: Wish = {}, how = runHere) {
  const { sandbox } = stage
  const known = stage.environment(at)
  return how(['usage', ...args, '--s3-endpoint-url', sandbox.s3Url()], {
    cwd: at.dir,
    env: { ...known, CLOUDFLARE_API_TOKEN: token ?? sandbox.bootstrapToken.reveal(), ...env },
  })
}

async function report(wish: Wish = {}, args: readonly string[] = []) {
  const { code, stdout, stderr } = await ask(['--json', ...args], wish)
  expect(stdout, stderr).toMatch(/^\{/)
  const told = JSON.parse(stdout) as Report
  if (!told.usage) throw new Error(stdout)
  return { ...told, usage: told.usage, code }
}

beforeEach(() => {
  const { operations, storage } = stage.sandbox.world.analytics
  operations.length = 0
  storage.length = 0
  stage.sandbox.faults.clear()
  stage.forget()
})

test('without a token: the list of the bucket alone, and it says so', limit, async () => {
  const { code, usage } = await report({ token: '' })
  expect([code, usage.analytics, usage.month.soFar]).toEqual([0, null, null])
  expect(usage.withoutAnalytics).toBe('no API token was given.')
  expect(usage.stored).toMatchObject({ objects: 5, bytes: 9900, listRequests: 1 })
  expect(usage.stored.kinds.map(({ class: name, bytes }) => [name, bytes])).toEqual([
    ['avatars', 1000],
    ['attachments', 5000],
    ['cachedAttachments', 3000],
    ['previewCards', 200],
    ['backups', 700],
  ])
  // Not the archive: it is for nobody's browser.
  expect(usage.stored.notCachedByDefault).toEqual({ objects: 1, bytes: 5000 })
  const { stdout } = await ask([], { token: '' }, run)
  expect(stdout).toContain('requests are not known')
  expect(stdout).toContain('account_analytics')
  expect(stdout).not.toContain('workers_r2')
})

describe('with the analytics', () => {
  const stored: StoredDay = { objects: 2_000_000, bytes: 350e9 }

  test('the bill of the account, so far and at the end of the month', limit, async () => {
    noteDays(stage.sandbox, {
      stored,
      daily: [
        { action: 'PutObject', status: 200, requests: 100_000 },
        { action: 'GetObject', status: 200, requests: 900_000 },
        { action: 'GetObject', status: 404, requests: 100_000 },
        { action: 'PutObject', status: 403, requests: 5_000_000 },
        { action: 'DeleteObject', status: 204, requests: 50_000 },
      ],
    })
    const { code, usage } = await report()
    expect(code).toBe(0)
    const { soFar, expected, days } = usage.month
    expect(usage.withoutAnalytics).toBeNull()
    expect(usage.analytics?.days.length).toBeGreaterThanOrEqual(30)
    const yesterday = usage.analytics?.days.at(-2)
    expect(yesterday).toMatchObject({ classA: 100_000, classB: 1_000_000, free: 50_000, ...stored })
    // All days alike: the whole month is the daily number times its days; refused ones are free.
    expect(expected.classA / (100_000 * days)).toBeCloseTo(1, 1)
    expect(expected.gbMonths).toBeLessThanOrEqual(350.01)
    expect(soFar?.bill.total).toBeLessThanOrEqual(expected.bill.total)
    const get = usage.analytics?.operations.find(({ action }) => action === 'GetObject')
    expect(get?.notFound).toBeGreaterThanOrEqual(100_000 * 29)
    expect(usage.causes.map(({ fact }) => fact.split(':')[0])).toContain('GetObject')
  })

  test('the words have charts, are ASCII in a pipe, and fit the columns', limit, async () => {
    noteDays(stage.sandbox, {
      stored,
      daily: [
        { action: 'ListObjects', status: 200, requests: 40_000 },
        { action: 'HeadObject', status: 200, requests: 300_000 },
      ],
    })
    for (const columns of [40, 60, 80, 100]) {
      const { code, stdout } = await ask([], { env: { COLUMNS: String(columns) } })
      expect(code).toBe(0)
      expect(stdout).toMatch(/^[\x20-\x7e\n]*$/)
      expect(stdout).toContain('ListObjects: ')
      expect(stdout).toContain('HeadObject: ')
      const charts = stdout.split('\n').filter((line) => /^ +(\d[\d.kMG]*)? \|/.test(line))
      expect(charts.length).toBe(10)
      expect(charts.filter((line) => line.length > columns)).toEqual([])
    }
  })

  test('the bucket of a jurisdiction is known by its name in the analytics', limit, async () => {
    noteDays(stage.sandbox, {
      stored,
      bucket: 'another',
      daily: [{ action: 'PutObject', status: 200, requests: 10 }],
    })
    const { usage } = await report()
    const put = usage.analytics?.operations.find(({ action }) => action === 'PutObject')
    expect(put).toMatchObject({ elsewhere: put?.requests })
  })

  test.each([
    [
      'a token without the permission',
      () => {
        const [token] = stage.sandbox.world.tokens
        if (!token) throw new Error('There is no token.')
        const kept = token.policies
        token.policies = (JSON.parse(JSON.stringify(kept)) as Policy[]).map((policy) => ({
          ...policy,
          permission_groups: policy.permission_groups.filter(
            ({ name }) => !name.includes('Analytics'),
          ),
        }))
        return () => {
          token.policies = kept
        }
      },
      /lacks "Account Analytics: Read"/,
    ],
    [
      'a query that Cloudflare does not take',
      () => {
        stage.sandbox.faults.add({
          side: 'api',
          path: '/graphql',
          kind: 'status',
          status: 400,
          times: 99,
        })
        return () => stage.sandbox.faults.clear()
      },
      /could not be read/,
    ],
  ])('%s: the list alone, a warning with the reason, exit code 0', limit, async (_, spoil, why) => {
    const mend = spoil()
    try {
      const { code, usage, warnings } = await report()
      expect([code, usage.analytics]).toEqual([0, null])
      expect(usage.withoutAnalytics).toMatch(why)
      expect(warnings.join()).toMatch(why)
      expect(usage.stored.objects).toBe(5)
    } finally {
      mend()
    }
  })
})

interface Policy {
  permission_groups: { name: string }[]
}

test('it changes nothing, and shows no secret', limit, async () => {
  const before = at.files()
  const { code, stdout, stderr } = await ask(['--verbose'], {}, run)
  expect(code).toBe(0)
  expect(stage.writes().filter(({ path }) => !path.endsWith('/graphql'))).toEqual([])
  expect(at.files()).toEqual(before)
  const secret = /^AWS_SECRET_ACCESS_KEY=(.*)$/m.exec(at.read())?.[1] ?? '?'
  for (const hidden of [stage.sandbox.bootstrapToken.reveal(), secret]) {
    expect(stdout + stderr).not.toContain(hidden)
  }
})

test.each([
  [['--cloudflare-api-url', 'http://127.0.0.1:1'], 'flag-without-effect'],
  [['--media-host', HOST], 'unknown-flag'],
])('%j without a token is refused', limit, async (args, code) => {
  const ended = await ask(['--json', ...args], { token: '' })
  expect([ended.code, JSON.parse(ended.stdout).problem.code]).toEqual([2, code])
})
