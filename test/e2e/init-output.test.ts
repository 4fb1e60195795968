import { existsSync, readdirSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, describe, expect, test } from 'vitest'
import { ENV, LOCAL_DOMAIN } from './machine.ts'
import { SUDO } from './program.ts'
import { HOST, keysOf, openStage } from './stage.ts'
import { settingsOf, storageLines } from './storage-lines.ts'

const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())

const own = (name: string) => {
  const [host, bucket] = [`${name}.example.com`, `${name}-media`]
  return { host, bucket, args: ['--media-host', host, '--bucket', bucket] }
}

async function validReport(text: string) {
  const at = stage.machine()
  const { stdout, code } = await stage.init(at, ['help', '--json-schema'])
  expect(code).toBe(0)
  const validate = new Ajv2020({ strict: false }).compile(JSON.parse(stdout) as object)
  const report = JSON.parse(text)
  validate(report)
  expect(validate.errors ?? []).toEqual([])
  return report
}

describe.concurrent('init --print', () => {
  test('gives the block alone on stdout and writes nothing here', async () => {
    const { host, bucket, args } = own('printed')
    const at = stage.machine()
    const before = at.files()
    const { code, stdout, stderr } = await stage.init(at, [...args, '--print'])
    expect(code).toBe(0)
    expect(settingsOf(stdout)).toEqual(storageLines(stage, { bucket, host }))
    expect(stdout).toMatch(/^(#.*\n|[A-Z0-9_]+=\S*\n)+$/)
    expect(stderr).toContain('R2 is ready')
    expect(at.files()).toEqual(before)
  })

  test('--format json', async () => {
    const { host, bucket, args } = own('as-json')
    const at = stage.machine()
    const { code, stdout } = await stage.initHere(at, [...args, '--print', '--format', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(storageLines(stage, { bucket, host }))
    expect(at.read()).toBe(LOCAL_DOMAIN)
  })
})

describe.concurrent('init says', () => {
  test('--json: one report by its schema, no secret in it', async () => {
    const { bucket, args } = own('reported')
    const at = stage.machine()
    const { code, stdout, stderr } = await stage.init(at, [...args, '--json'])
    expect(code).toBe(0)
    const report = await validReport(stdout)
    expect(report).toMatchObject({ command: 'init', ok: true, dryRun: false, problem: null })
    expect(report.settings.apiToken).toEqual({ value: '****', source: 'CLOUDFLARE_API_TOKEN' })
    expect(report.steps.map(({ status }: { status: string }) => status)).not.toContain('failed')
    expect(report.env).toMatchObject({
      file: at.path(ENV),
      changed: expect.arrayContaining(['S3_ENABLED', 'S3_PERMISSION', 'AWS_SECRET_ACCESS_KEY']),
    })
    expect(existsSync(report.env.backup)).toBe(true)
    // What has to be typed first is a command of another program.
    expect(report.next[0]).toMatch(/^(sudo )?systemctl restart .*mastodon-sidekiq/)
    expect(report.next[1]).toContain('npx mastodon-r2 init')
    expect(stdout).not.toContain(keysOf(stage.sandbox, bucket)[0]?.secret)
    expect(stderr).toContain('Plan:')
  })

  test('--json of a refusal goes by the same schema', async () => {
    const at = stage.machine()
    const { code, stdout } = await stage.initHere(at, ['--media-host', 'a_b.example.com', '--json'])
    expect(code).toBe(2)
    const report = await validReport(stdout)
    expect(report).toMatchObject({ ok: false, problem: { code: 'settings-wrong' } })
  })

  test('--quiet: what is left to do, and no more', async () => {
    const { args } = own('quiet')
    const { code, stdout } = await stage.initHere(stage.machine(), [...args, '--quiet'])
    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toBe('R2 is ready and proven.')
    expect(stdout).toContain('Restart Mastodon')
  })

  test('--dry-run: the plan; nothing is changed', async () => {
    const { host, bucket, args } = own('dry')
    const at = stage.machine()
    const { code, stdout } = await stage.initHere(at, [...args, '--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toContain(`create the bucket ${bucket}`)
    expect(stdout).toContain(`serve the bucket at https://${host}`)
    expect(stdout).toContain('That is the plan. Nothing was changed.')
    expect(at.files().size).toBe(1)
    expect(stage.sandbox.world.buckets.map(({ name }) => name)).not.toContain(bucket)
  })

  test('without --yes and without a terminal nothing is agreed', async () => {
    const { bucket, args } = own('unagreed')
    const { code, stdout } = await stage.init(stage.machine(), ['init', ...args])
    expect(code).toBe(2)
    expect(stdout).toContain('Add --yes')
    expect(stage.sandbox.world.buckets.map(({ name }) => name)).not.toContain(bucket)
  })
})

// Not beside others: they ask after every bucket of the account, this one's too.
test('--verbose: every request that the sandbox saw', async () => {
  const { bucket, args } = own('verbose')
  const { code, stderr } = await stage.init(stage.machine(), [...args, '--verbose'])
  expect(code).toBe(0)
  const lines = stderr.trim().split('\n')
  for (const line of lines) expect(line).toMatch(/^[A-Z]+ \S+ (\d{3}|\D.*) \d+ ms( ray \S+)?$/)
  const seen = stage.sandbox.log.filter(
    ({ side, path }) => side !== 'public' && path.includes(bucket),
  )
  const told = lines.filter((line) => line.includes(bucket))
  expect(told).toHaveLength(seen.length)
})

test.concurrent('--answers - takes everything from a pipe, the token too', async () => {
  const { host, bucket } = own('piped')
  const at = stage.machine()
  const answers = {
    'media-host': host,
    bucket,
    apiToken: stage.sandbox.bootstrapToken.reveal(),
    corsOrigin: ['https://social.example.com'],
    expires: '2099-01-31',
    allowIp: ['127.0.0.1/32'],
  }
  const { code, stdout } = await stage.init(at, ['--answers', '-'], {
    input: JSON.stringify(answers),
    env: { CLOUDFLARE_API_TOKEN: undefined },
  })
  expect({ code, stdout }).toMatchObject({ code: 0 })
  expect(settingsOf(at.read())).toMatchObject(storageLines(stage, { bucket, host }))
  const key = stage.sandbox.world.tokens.find(({ name }) => name.includes(bucket))
  expect(key?.expiresOn).toBe('2099-01-31T23:59:59Z')
  expect(key?.condition).toMatchObject({ request_ip: { in: ['127.0.0.1/32'] } })
})

describe('a second run', () => {
  test('changes nothing, here or at Cloudflare', async () => {
    const at = stage.machine()
    expect((await stage.initHere(at)).code).toBe(0)
    const [before, names] = [at.files(), readdirSync(at.dir)]
    stage.forget()
    const { code, stdout } = await stage.initHere(at)
    expect(code).toBe(0)
    expect(stdout).toContain('All is set up already; nothing was changed.')
    expect(stdout).toContain(`unless you have restarted it since:\n  ${SUDO}systemctl restart`)
    expect(stage.writes()).toEqual([])
    expect(at.files()).toEqual(before)
    expect(readdirSync(at.dir)).toEqual(names)
  })

  test('failed behind the env file: each run says that a restart is left', async () => {
    const { args } = own('behind')
    const at = stage.machine()
    stage.sandbox.faults.add({
      side: 'api',
      method: 'PUT',
      path: '/tokens/',
      kind: 'status',
      status: 403,
    })
    const { code, stdout } = await stage.initHere(at, args)
    expect(code, stdout).toBe(1)
    expect(settingsOf(at.read()).S3_ENABLED).toBe('true')
    expect(stdout).toContain(`Restart Mastodon, so that it uses the settings:\n  ${SUDO}systemctl`)
    const again = await stage.initHere(at, args)
    expect(again.code, again.stdout).toBe(0)
    expect(again.stdout).toContain(`unless you have restarted it since:\n  ${SUDO}systemctl`)
  })

  test('--dry-run sends reads only', async () => {
    const at = stage.machine()
    stage.forget()
    const { code } = await stage.initHere(at, ['--media-host', `dry.${HOST}`, '--dry-run'])
    expect(code).toBe(0)
    expect(stage.writes()).toEqual([])
  })
})
