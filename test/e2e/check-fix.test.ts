import { chmodSync, statSync } from 'node:fs'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { type Report, reportSchema } from '../../src/plan/report-schema.ts'
import { ENV, type Machine } from './machine.ts'
import { remember } from './remembered.ts'
import { HOST, openStage } from './stage.ts'

const stage = await openStage({ emulator: 'eager' })
const first = stage.machine()
const setUp = await stage.initHere(first, ['--media-host', HOST, '--edge', 'recommended'])
if (setUp.code !== 0) throw new Error(`The setup failed:\n${setUp.stdout}`)
const good = first.read()
beforeEach(remember(stage.sandbox))
afterAll(() => stage.close())

async function fix(
  at: Machine,
  args: readonly string[] = ['--yes'],
  env = {},
  how: typeof stage.initHere = stage.initHere,
) {
  stage.forget()
  const ended = await how(at, ['check', '--json', '--fix', ...args], { env })
  const report = reportSchema.strict().parse(JSON.parse(ended.stdout))
  return { ...ended, report, changed: idsOf(report, 'changed') }
}

const idsOf = ({ steps }: Report, wanted: string) =>
  steps.flatMap(({ id, status }) => (status === wanted ? [id] : []))
/** What is wrong; a slow machine makes check wonder besides. */
const bad = ({ checks }: Report) =>
  checks.flatMap(({ id, severity, saw }) =>
    (severity === 'fault' || severity === 'warning') && !saw.endsWith('that is slow')
      ? [`${id} ${severity}`]
      : [],
  )
/** What changes the settings at Cloudflare, and not what the checks try out in the bucket. */
const changes = () => stage.writes().filter(({ path }) => path.startsWith('/client/'))

/** Everything that can be put right is broken: lines, mode, CORS, lifecycle, r2.dev, a rule. */
function broken(): Machine {
  const text = good
    .replace('S3_PERMISSION=', 'S3_PERMISSION=public-read')
    .replace('S3_PROTOCOL=https', 'S3_PROTOCOL=http')
    .replace('S3_REGION=auto', 'S3_REGION="auto" # R2')
    .replace(/^S3_ENDPOINT=(.*)$/m, (_, endpoint) => `S3_ENDPOINT=${endpoint}/mastodon-media`)
    .concat('CDN_HOST=https://files.example.com\n')
  const at = stage.machine(text)
  chmodSync(at.path(ENV), 0o644)
  const { world } = stage.sandbox
  const [bucket] = world.buckets
  if (!bucket) throw new Error('There is no bucket.')
  bucket.cors = undefined
  bucket.lifecycle = []
  bucket.devUrlEnabled = true
  return at
}

describe('several faults', () => {
  test('a dry run shows the plan and changes nothing; no fault would be left', async () => {
    const at = broken()
    const before = at.files()
    const { code, report } = await fix(at, ['--dry-run'])
    expect({ code, ok: report.ok, dryRun: report.dryRun }).toEqual({
      code: 0,
      ok: true,
      dryRun: true,
    })
    expect(idsOf(report, 'would-change')).toEqual(
      expect.arrayContaining(['env-lines', 'env-mode', 'cors', 'lifecycle', 'dev-url']),
    )
    expect(at.files()).toEqual(before)
    expect(changes()).toEqual([])
  })

  test('without a yes nothing is changed', async () => {
    const at = broken()
    const before = at.files()
    const { code, report } = await fix(at, [])
    expect({ code, problem: report.problem?.code }).toEqual({ code: 2, problem: 'not-agreed' })
    expect(at.files()).toEqual(before)
    expect(changes()).toEqual([])
  })

  test('are put right in one run, and the check proves it; a second run changes nothing', async () => {
    const at = broken()
    const { code, report, stdout, stderr } = await fix(at, ['--yes'], {}, stage.init)
    expect({ code, bad: bad(report), problem: report.problem }).toEqual({
      code: 0,
      bad: [],
      problem: null,
    })
    expect(at.read()).toMatch(/^S3_PERMISSION=$/m)
    expect(at.read()).not.toMatch(/^CDN_HOST/m)
    expect(statSync(at.path(ENV)).mode & 0o7777).toBe(0o640)
    const [, secret = ''] = /^AWS_SECRET_ACCESS_KEY=(.*)$/m.exec(good) ?? []
    expect(stdout + stderr).not.toContain(secret)
    const before = at.files()
    const again = await fix(at)
    expect({ code: again.code, changed: again.changed }).toEqual({ code: 0, changed: [] })
    expect(at.files()).toEqual(before)
    expect(changes()).toEqual([])
  })
})

test('without a token the lines are put right, and the rest is left with what to type', async () => {
  const at = broken()
  const { code, report, changed } = await fix(at, ['--yes'], { CLOUDFLARE_API_TOKEN: '' })
  expect({ code, problem: report.problem?.code }).toEqual({ code: 1, problem: 'faults-left' })
  expect(changed).toEqual(['env-lines', 'env-mode'])
  expect(bad(report)).toEqual(['public-cors fault'])
  expect(report.next.join('\n')).toContain('npx mastodon-r2 init')
  expect(changes()).toEqual([])
  expect((await fix(at)).code).toBe(0)
})

test('a storage that is off stays off: what lies on the disk would be shown no more', async () => {
  const at = stage.machine(good.replace('S3_ENABLED=true', 'S3_ENABLED=TRUE'))
  const before = at.files()
  const { code, report, changed } = await fix(at)
  expect({ code, changed }).toEqual({ code: 1, changed: [] })
  expect(bad(report)).toContain('s3-enabled fault')
  expect(report.next.join('\n')).toContain('S3_ENABLED=true')
  expect(at.files()).toEqual(before)
})

test('a bucket that does not open is not written', async () => {
  const at = stage.machine(good.replace(/^S3_BUCKET=.*$/m, 'S3_BUCKET=s3://Another-Bucket'))
  const before = at.read()
  const { code } = await fix(at)
  expect({ code, text: at.read() }).toEqual({ code: 1, text: before })
})

test.each([
  [['--yes'], 'flag-without-effect'],
  [['--dry-run'], 'flag-without-effect'],
])('%s without --fix is refused', async (args, problem) => {
  const ended = await stage.initHere(stage.machine(good), ['check', '--json', ...args])
  const report = JSON.parse(ended.stdout) as Report
  expect({ code: ended.code, problem: report.problem?.code }).toEqual({ code: 2, problem })
})

test('a plugin never changes anything', async () => {
  const at = broken()
  const before = at.files()
  const { code, stdout } = await stage.initHere(at, [
    'check',
    '--fix',
    '--yes',
    '--format',
    'nagios',
  ])
  expect(code).toBe(3)
  expect(stdout).toMatch(/^MASTODON-R2 UNKNOWN - .*--fix/)
  expect(at.files()).toEqual(before)
})
