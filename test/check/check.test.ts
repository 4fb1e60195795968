import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { type Report, reportSchema } from '../../src/plan/report-schema.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { ENV, type Machine } from '../e2e/machine.ts'
import { HOST, openStage } from '../e2e/stage.ts'
import { settingsOf } from '../e2e/storage-lines.ts'

const stage = await openStage({ emulator: 'eager' })
let good = ''
beforeAll(async () => {
  const at = stage.machine()
  const { code, stdout } = await stage.initHere(at)
  if (code !== 0) throw new Error(`The setup failed:\n${stdout}`)
  good = at.read()
})
afterAll(() => stage.close())

const withToken = () => stage.sandbox.bootstrapToken.reveal()

/** `check --json` without a token unless told; everything said has to be free of secrets. */
async function check(at: Machine, args: readonly string[] = [], token = '') {
  const before = at.files()
  const extra = { env: { CLOUDFLARE_API_TOKEN: token } }
  const ended = await stage.initHere(at, ['check', '--json', ...args], extra)
  expect(at.files()).toEqual(before)
  const { AWS_SECRET_ACCESS_KEY: secret } = settingsOf(good)
  for (const hidden of [secret, withToken()]) {
    expect(ended.stdout + ended.stderr).not.toContain(hidden)
  }
  const report = reportSchema.strict().parse(JSON.parse(ended.stdout))
  return { ...ended, report }
}

async function objects(): Promise<string[]> {
  const { S3_BUCKET: bucket = '', AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = settingsOf(good)
  const key = {
    accessKeyId: AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: new Secret(AWS_SECRET_ACCESS_KEY ?? ''),
  }
  return connectS3({ endpoint: stage.sandbox.s3Url(), bucket, key }).list('', 10)
}

const bad = ({ checks }: Report) =>
  checks.filter(({ severity }) => severity === 'fault' || severity === 'warning')
const faults = ({ checks }: Report) => checks.filter(({ severity }) => severity === 'fault')

describe('a healthy setup', () => {
  test.each([
    ['without a token', () => '', 'skipped'],
    ['with one', withToken, 'ok'],
  ])('%s: exit 0, no fault, nothing left in the bucket', async (_, token, severity) => {
    const { code, report } = await check(stage.machine(good), [], token())
    expect(bad(report)).toEqual([])
    expect({ code, ok: report.ok, next: report.next }).toEqual({ code: 0, ok: true, next: [] })
    const ofCloudflare = report.checks.filter(({ about }) => about === 'Cloudflare')
    expect(new Set(ofCloudflare.map((one) => one.severity))).toEqual(new Set([severity]))
    expect(report.steps.every(({ status }) => status === 'ready')).toBe(true)
    expect(await objects()).toEqual([])
  })

  test('--quick writes nothing at all', async () => {
    stage.forget()
    const { code, report } = await check(stage.machine(good), ['--quick'], withToken())
    expect(code).toBe(0)
    expect(stage.writes()).toEqual([])
    expect(report.checks.map(({ id }) => id)).not.toContain('storage-upload')
  })

  test('words, folded', async () => {
    const at = stage.machine(good)
    const extra = { env: { CLOUDFLARE_API_TOKEN: '' } }
    const { code, stdout } = await stage.initHere(at, ['check'], extra)
    expect(code).toBe(0)
    // On a machine that is busy with other things, how fast the bucket answers is worth a note.
    expect(stdout).toMatch(/^ok {6}storage: Bucket(, |$)/m)
    expect(stdout).toMatch(/storage: (Bucket, Test upload|Test upload: .* that is slow$)/m)
    expect(stdout).toContain('All well.')
    expect(stdout).toContain('no API token was given')
  })

  test('--quiet says nothing, so that cron sends no mail', async () => {
    const at = stage.machine(good)
    const { code, stdout, stderr } = await stage.initHere(at, ['check', '--quiet'])
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('--verbose tells what each one saw', async () => {
    const { stdout, stderr } = await stage.init(stage.machine(good), ['check', '--verbose'])
    expect(stdout).toMatch(/storage: Test upload: 16 requests: half within \d+ ms/)
    expect(stderr).toMatch(/^HEAD \/\S+ 200 \d+ ms/m)
  })
})

describe.concurrent('planted in the env file', () => {
  const { S3_BUCKET = '' } = { S3_BUCKET: 'social-example-com-media' }
  test.each<[string, (text: string) => string, RegExp]>([
    [
      'S3_PERMISSION removed',
      (text) => text.replace(/^S3_PERMISSION=.*\n/m, ''),
      /S3_PERMISSION is missing/,
    ],
    [
      'the bucket in the endpoint',
      (text) => text.replace(/^S3_ENDPOINT=.*$/m, `$&/${S3_BUCKET}`),
      /S3_ENDPOINT holds more than the account's address/,
    ],
    [
      'a scheme in the alias',
      (text) => text.replace(/^S3_ALIAS_HOST=/m, '$&https://'),
      /S3_ALIAS_HOST is "https:\/\/files/,
    ],
    [
      'swapped keys',
      (text) =>
        text
          .replace('AWS_ACCESS_KEY_ID=', 'AWS_X=')
          .replace('AWS_SECRET_ACCESS_KEY=', 'AWS_ACCESS_KEY_ID=')
          .replace('AWS_X=', 'AWS_SECRET_ACCESS_KEY='),
      /swapped|changed places|the other way round|exchanged/i,
    ],
    [
      'http',
      (text) => text.replace('S3_PROTOCOL=https', 'S3_PROTOCOL=http'),
      /S3_PROTOCOL is "?http\b/,
    ],
    ['S3_ENABLED=TRUE', (text) => text.replace('S3_ENABLED=true', 'S3_ENABLED=TRUE'), /S3_ENABLED/],
  ])('%s: exit 1, one fault that names it', async (_, plant, words) => {
    const { code, report } = await check(stage.machine(plant(good)))
    expect(code).toBe(1)
    const [first, ...more] = faults(report)
    expect(`${first?.title}: ${first?.saw}`).toMatch(words)
    expect(first?.next).not.toBe('')
    expect(more).toEqual([])
  })

  test('--quiet: the fault alone, with what to do', async () => {
    const at = stage.machine(good.replace('S3_PROTOCOL=https', 'S3_PROTOCOL=http'))
    const { code, stdout } = await stage.initHere(at, ['check', '--quiet'])
    expect(code).toBe(1)
    expect(stdout.match(/^[A-Za-z]+ {2,}/gm)).toEqual(['FAULT   '])
    expect(stdout).toContain('Next: ')
    expect(stdout).toContain('Not all is well: 1 fault.')
  })

  test('an inline comment is a warning', async () => {
    const text = good.replace(/^S3_REGION=.*$/m, '$& # any')
    const { report } = await check(stage.machine(text))
    expect(bad(report).map(({ saw }) => saw)).toEqual([expect.stringMatching(/S3_REGION|comment/)])
  })
})

test('nothing of all that is left in the bucket', async () => {
  expect(await objects()).toEqual([])
})

/** With where the run was at, and no setting. */
const INIT = expect.stringMatching(
  /^npx mastodon-r2 init( --(s3-e|connect-|cloudflare-a)\S+ \S+)*$/,
)

describe('planted at Cloudflare', () => {
  const bucket = () => stage.sandbox.world.buckets[0]

  test.each([
    ['without a token', () => '', ['public-cors']],
    ['with one', withToken, ['public-cors', 'cloudflare-cors']],
  ])('no CORS rule, %s', async (_, token, expected) => {
    const rules = bucket()?.cors
    Object.assign(bucket() ?? {}, { cors: undefined })
    const { code, report } = await check(stage.machine(good), [], token())
    Object.assign(bucket() ?? {}, { cors: rules })
    expect(code).toBe(1)
    expect(faults(report).map(({ id }) => id)).toEqual(expected)
    expect(report.next).toEqual([INIT])
  })

  test('r2.dev on is a warning', async () => {
    Object.assign(bucket() ?? {}, { devUrlEnabled: true })
    const { code, report } = await check(stage.machine(good), [], withToken())
    Object.assign(bucket() ?? {}, { devUrlEnabled: false })
    expect(code).toBe(0)
    expect(bad(report).map(({ id, severity }) => [id, severity])).toEqual([
      ['cloudflare-dev-url', 'warning'],
    ])
  })

  test('a revoked key', async () => {
    const token = stage.sandbox.world.tokens.find(
      ({ id }) => id === settingsOf(good).AWS_ACCESS_KEY_ID,
    )
    Object.assign(token ?? {}, { status: 'disabled' })
    const { code, report } = await check(stage.machine(good))
    Object.assign(token ?? {}, { status: 'active' })
    expect(code).toBe(1)
    expect(faults(report).map(({ id, saw }) => [id, saw])).toEqual([
      ['storage-bucket', 'R2 does not know the access key.'],
    ])
  })

  test('a key that can do too much is a warning', async () => {
    const [bootstrap] = stage.sandbox.world.tokens
    const token = stage.sandbox.world.tokens.find(
      ({ id }) => id === settingsOf(good).AWS_ACCESS_KEY_ID,
    )
    const own = token?.policies
    Object.assign(token ?? {}, { policies: bootstrap?.policies })
    const { code, report } = await check(stage.machine(good), [], withToken())
    Object.assign(token ?? {}, { policies: own })
    expect(code).toBe(0)
    expect(bad(report).map(({ id }) => id)).toEqual(['storage-key-reach', 'cloudflare-key-rights'])
  })

  test('a media host that serves nothing', async () => {
    const [domain] = bucket()?.domains ?? []
    Object.assign(domain ?? {}, { enabled: false })
    const { code, report } = await check(stage.machine(good))
    Object.assign(domain ?? {}, { enabled: true })
    expect(code).toBe(1)
    expect(faults(report).map(({ id }) => id)).toEqual(['public-content'])
  })
})

describe('what can not be run: exit 2', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['no env file', ['--mastodon-env', 'nowhere.env'], /nothing-to-check/],
    ['a folder that is not there', ['--mastodon-dir', '/nowhere'], /mastodon-dir-missing/],
    ['a flag of init', ['--announce'], /unknown-flag/],
    ['less and more', ['--quiet', '--verbose'], /settings-contradict/],
  ])('%s', async (_, args, code) => {
    const ended = await check(stage.machine(good), args)
    expect(ended.code).toBe(2)
    expect(ended.report.problem?.code).toMatch(code)
    expect(ended.report.checks).toEqual([])
  })
})

test('a token that is no good is a warning; the rest is looked at', async () => {
  const wrong = `cfat_${'0'.repeat(48)}`
  const { code, report } = await check(stage.machine(good), [], wrong)
  expect(code).toBe(0)
  expect(bad(report).map(({ id }) => id)).toEqual(['cloudflare-token'])
  expect(report.checks.map(({ id }) => id)).toContain('storage-upload')
})

test('--media-host overrules the env file', async () => {
  const { report } = await check(stage.machine(good), ['--media-host', `other.${HOST}`])
  expect(faults(report).map(({ id }) => id)).toEqual(['public-certificate'])
  expect(report.settings.mediaHost).toEqual({ value: `other.${HOST}`, source: '--media-host' })
})

test('nothing set up yet: init is what to type', async () => {
  const { code, report } = await check(stage.machine())
  expect(code).toBe(1)
  expect(report.next).toContainEqual(INIT)
  expect(report.settings).not.toHaveProperty(ENV)
})
