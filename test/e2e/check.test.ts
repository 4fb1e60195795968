import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Machine } from './machine.ts'
import { remember } from './remembered.ts'
import { HOST, openStage } from './stage.ts'

const stage = await openStage()
const at = stage.machine()
const { code } = await stage.initHere(at)
if (code !== 0) throw new Error('The setup failed.')
beforeEach(remember(stage.sandbox))
afterAll(() => stage.close())

interface Report {
  readonly ok: boolean
  readonly steps: readonly { readonly id: string; readonly status: string }[]
}

/** What the installer would do, by `check --quick` with a token: that writes nothing at all. */
async function check(machine: Machine, args: readonly string[] = []) {
  const before = machine.files()
  stage.forget()
  const { code, stdout } = await stage.initHere(machine, ['check', '--json', '--quick', ...args])
  expect(stage.writes()).toEqual([])
  expect(machine.files()).toEqual(before)
  const report = JSON.parse(stdout) as Report
  const open = report.steps.filter(({ status }) => status !== 'ready').map(({ id }) => id)
  return { code, ok: report.ok, open }
}

test('a healthy setup', async () => {
  expect(await check(at)).toEqual({ code: 0, ok: true, open: [] })
})

test.each<[string, () => Machine, readonly string[], number, RegExp]>([
  ['a healthy setup', () => at, [], 0, /^MASTODON-R2 (OK|WARNING) - .* \| faults=0;;0 .*s\n$/],
  [
    'a fault',
    () => stage.machine(at.read().replace(/^(AWS_SECRET_ACCESS_KEY)=.*$/m, '$1=wrong')),
    [],
    2,
    /^MASTODON-R2 CRITICAL - .* \| faults=[1-9].*\n$/,
  ],
  ['a flag that is none', () => at, ['--bukcet', 'x'], 3, /^MASTODON-R2 UNKNOWN - [^|\n]*\n$/],
])('--format nagios: %s', async (_, machine, args, expected, line) => {
  const ended = await stage.init(machine(), ['check', '--format', 'nagios', '--quick', ...args])
  expect(ended.stdout).toMatch(line)
  expect(ended.stderr).toBe('')
  const isWarning = ended.stdout.startsWith('MASTODON-R2 WARNING')
  expect(ended.code).toBe(isWarning ? 1 : expected)
})

test('words for a healthy setup', async () => {
  const { code, stdout } = await stage.init(at, ['check'])
  expect(code).toBe(0)
  // A slow machine makes check wonder.
  expect(stdout).toMatch(/^All well\.$|that is slow$[\s\S]*^All works; 1 warning\.$/m)
})

test.each([
  ['hotlinks', 'Hotlink Protection'],
  ['bots', 'cf-mitigated: challenge'],
] as const)('a zone that keeps %s out is noted, and is no fault', async (name, words) => {
  stage.sandbox.world.edge.refuses.add(name)
  const { code, stdout } = await stage.initHere(at, ['check', '--json'])
  const { checks } = JSON.parse(stdout) as {
    checks: { id: string; severity: string; saw: string }[]
  }
  // A slow machine makes check wonder.
  const worse = checks
    .filter(({ saw }) => !saw.endsWith('that is slow'))
    .filter(({ severity }) => severity === 'fault' || severity === 'warning')
  expect({ code, worse }).toEqual({ code: 0, worse: [] })
  const found = checks.find(({ id }) => id === 'public-other-servers')
  expect(found).toMatchObject({ severity: 'note', saw: expect.stringContaining(words) })
})

test('nothing set up yet', async () => {
  const { code, ok, open } = await check(stage.machine(), ['--media-host', `new.${HOST}`])
  expect({ code, ok }).toEqual({ code: 1, ok: false })
  expect(open).toEqual(expect.arrayContaining(['media-domain', 'access-keys', 'env-file']))
})

test.each([
  // Media works with it, as long as R2 lets the ACL pass.
  ['S3_PERMISSION=', 'S3_PERMISSION=private', { code: 0, ok: true }],
  ['S3_PROTOCOL=https', 'S3_PROTOCOL=http', { code: 1, ok: false }],
])('%s became %s', async (from, to, expected) => {
  const spoilt = stage.machine(at.read().replace(from, to))
  const { code, ok, open } = await check(spoilt)
  expect({ code, ok }).toEqual(expected)
  expect(open).toContain('env-file')
  expect(open).not.toContain('access-keys')
})

test('what to type is about the server that was looked at', async () => {
  const spoilt = stage.machine(at.read().replace(/^S3_ALIAS_HOST=.*$/m, ''))
  const path = spoilt.path('.env.production')
  const { stdout } = await stage.initHere(spoilt, [
    'check',
    '--quick',
    '--json',
    '--mastodon-env',
    path,
  ])
  const { next } = JSON.parse(stdout) as { readonly next: readonly string[] }
  const lines = next.join('\n').match(/npx mastodon-r2 (init|rotate).*/g) ?? []
  expect(lines.length).toBeGreaterThan(0)
  for (const line of lines) expect(line).toContain(` --mastodon-env ${path}`)
})

test('a key that was revoked', async () => {
  const key = at.read().match(/^AWS_ACCESS_KEY_ID=(.*)$/m)?.[1] ?? ''
  const { tokens } = stage.sandbox.world
  tokens.splice(
    tokens.findIndex(({ id }) => id === key),
    1,
  )
  const { code, open } = await check(at)
  expect(code).toBe(1)
  expect(open).toContain('access-keys')
})

test('CORS rules that are gone', async () => {
  const [bucket] = stage.sandbox.world.buckets
  if (bucket) bucket.cors = undefined
  expect(await check(at)).toEqual({ code: 1, ok: false, open: ['cors'] })
})
