import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Report, reportSchema } from '../../src/plan/report-schema.ts'
import type { SandboxAddress } from '../../src/rehearse/rehearsal.ts'
import { runHere } from './in-process.ts'
import type { Machine } from './machine.ts'
import { start } from './program.ts'
import { openStage, until } from './stage.ts'
import { settingsOf } from './storage-lines.ts'

const stage = await openStage({ emulator: 'eager' })
const { sandbox } = stage
afterAll(() => stage.close())

const source = { 'lib/mastodon/version.rb': '', 'public/packs/manifest.json': '{}' }
const own = (name: string) => ['--media-host', `${name}.example.com`, '--bucket', `${name}-media`]
const bucketOf = (name: string) =>
  sandbox.world.buckets.find((bucket) => bucket.name === `${name}-media`)
const keyOf = (name: string) => sandbox.world.tokens.find((key) => key.name.includes(`${name}-`))

async function report(
  at: Machine,
  args: readonly string[],
  extra: Parameters<typeof stage.initHere>[2] = {},
): Promise<Report & { readonly code: number | null }> {
  const { code, stdout, stderr } = await stage.initHere(at, [...args, '--json'], extra)
  expect(stdout, stderr).toMatch(/^\{/)
  return { ...reportSchema.parse(JSON.parse(stdout)), code }
}

/** Set up once; what looks at it, or is refused, leaves it as it is. */
const shared = stage.machine(undefined, source)
const { code } = await stage.initHere(shared, own('shared'))
if (code !== 0) throw new Error('The setup failed.')

/** Without a token, as most people run `check`. */
const tokenless = { env: { CLOUDFLARE_API_TOKEN: '' } }

describe.concurrent('init', () => {
  test('every wish is in what is made', async () => {
    const at = stage.machine(undefined, source)
    const wishes = [
      ...['--location', 'weur', '--cors-origin', 'https://social.example.com'],
      ...['--token-kind', 'account', '--allow-ip', '127.0.0.1', '--allow-ip', '203.0.113.0/24'],
      ...['--expires', '2099-06-30', '--account-id', sandbox.accountId],
    ]
    const { code, problem } = await report(at, [...own('wished'), ...wishes])
    expect({ code, problem }).toEqual({ code: 0, problem: null })
    const bucket = bucketOf('wished')
    expect(bucket?.location).toMatch(/^weur$/i)
    expect(JSON.stringify(bucket?.cors)).toContain('"https://social.example.com"')
    expect(keyOf('wished')).toMatchObject({ accountId: sandbox.accountId, kind: 'account' })
    expect(keyOf('wished')?.expiresOn).toMatch(/^2099-06-30T/)
    expect(JSON.stringify(keyOf('wished')?.condition)).toContain('203.0.113.0/24')
  })

  test('--jurisdiction is where the bucket is', async () => {
    const at = stage.machine(undefined, source)
    const eu = ['--jurisdiction', 'eu', '--s3-endpoint-url', sandbox.s3Url('eu')]
    const routes = sandbox.connectTo.flatMap((one) => ['--connect-to', one])
    const line = ['init', '--yes', ...own('european'), ...eu, ...routes]
    const { code } = await runHere(line, { cwd: at.dir, env: stage.environment(at) })
    expect(code).toBe(0)
    expect(bucketOf('european')?.jurisdiction).toBe('eu')
  })

  test('--media-dir has the media that a switch would hide', async () => {
    const at = stage.machine(undefined, source)
    const media = join(at.home, 'disk')
    mkdirSync(join(media, 'accounts/avatars'), { recursive: true })
    writeFileSync(join(media, 'accounts/avatars/a.png'), 'x')
    const { code, problem } = await report(at, [...own('disk'), '--media-dir', media])
    expect([code, problem?.code]).toEqual([2, 'settings-missing'])
    expect(problem?.why).toContain('--existing-media')
    expect((await report(at, [...own('disk'), '--dry-run'])).code).toBe(0)
  })

  test.each([
    ['prepare', 'false'],
    ['switch', 'true'],
  ])('--existing-media %s is done where no media is seen, too', async (word, enabled) => {
    const at = stage.machine(undefined, source)
    const line = [...own(`unseen-${word}`), '--existing-media', word]
    expect((await report(at, line)).code).toBe(0)
    expect(settingsOf(at.read()).S3_ENABLED).toBe(enabled)
  })

  test.each(['--allow-ip', '--expires', '--existing-media'])(
    '%s is about a key or lines that terraform-import does not make',
    async (flag) => {
      const values = { '--allow-ip': '203.0.113.7', '--expires': '2099-06-30' }
      const value = values[flag as keyof typeof values] ?? 'switch'
      const at = stage.machine(undefined, source)
      const args = [...own('terraformed'), '--print', '--format', 'terraform-import', flag, value]
      const { code, stderr } = await stage.initHere(at, args)
      expect(code).toBe(2)
      expect(stderr).toContain(`${flag} with --format terraform-import would have no effect here.`)
      expect(bucketOf('terraformed')).toBeUndefined()
    },
  )
})

describe('init waits', () => {
  test('--wait-domain is how long', async () => {
    const slow = await openStage({ emulator: 'eager', domainMs: 600_000 })
    const at = slow.machine(undefined, source)
    const { code, stdout } = await slow.initHere(at, [...own('slow'), '--wait-domain', '1s'])
    expect(code).toBe(1)
    expect(stdout).toContain('slow.example.com is not active')
    await slow.close()
  })
})

describe.concurrent('check', () => {
  test('--bucket and --media-host are looked at in place of those of the env file', async () => {
    const bucket = await report(shared, ['check', '--quick', '--bucket', 'no-such-bucket'])
    expect(JSON.stringify(bucket.checks)).toContain('no-such-bucket')
    const host = await report(shared, ['check', '--quick', '--media-host', 'other.example.com'])
    expect(JSON.stringify(host.checks)).toContain('other.example.com')
  })

  test('--log-file is where a check is noted, too', async () => {
    const at = stage.machine(undefined, source)
    await stage.initHere(at, ['check', '--quick', '--log-file', 'own.log'])
    expect(at.read('own.log')).toContain('check')
  })

  test('--jurisdiction is where Cloudflare is asked for the bucket', async () => {
    const { checks } = await report(shared, ['check', '--quick', '--jurisdiction', 'eu'])
    const bucket = checks.find(({ title }) => title === 'Bucket at Cloudflare')
    expect(bucket?.saw).toContain('jurisdiction')
  })

  test.each(['--jurisdiction', '--cloudflare-api-url'])(
    '%s is refused where no token asks Cloudflare',
    async (flag) => {
      const at = stage.machine('LOCAL_DOMAIN=social.example.com\nS3_ENABLED=false\n', source)
      const value = flag === '--jurisdiction' ? 'eu' : 'http://127.0.0.1:9'
      const { code, problem } = await report(at, ['check', flag, value], tokenless)
      expect([code, problem?.what]).toEqual([2, `${flag} would have no effect here.`])
    },
  )

  test('--account-id, too, where S3_ENDPOINT tells the account', async () => {
    const account = 'a'.repeat(32)
    const lines = `S3_ENDPOINT=https://${account}.r2.cloudflarestorage.com\n`
    const at = stage.machine(`LOCAL_DOMAIN=social.example.com\n${lines}`, source)
    const { code, problem } = await report(at, ['check', '--account-id', account], tokenless)
    expect([code, problem?.what]).toEqual([2, '--account-id would have no effect here.'])
  })

  test.each(['--quiet', '--verbose', '--json'])('%s is not for a plugin', async (flag) => {
    const at = stage.machine(undefined, source)
    const { code, stdout } = await stage.initHere(at, ['check', '--format', 'nagios', flag])
    expect([code, stdout]).toEqual([
      3,
      `MASTODON-R2 UNKNOWN - --format nagios and ${flag} can't both be meant. Leave one of them out.\n`,
    ])
  })
})

describe('a server that is set up', () => {
  test.each([
    ['--token-kind', 'user', 'token-kind-impossible'],
    ['--allow-ip', '203.0.113.7', 'key-made-already'],
    ['--expires', '2099-06-30', 'key-made-already'],
  ])('%s %s for a key that is kept is refused', async (flag, value, refusal) => {
    const before = shared.read()
    const { code, problem } = await report(shared, [...own('shared'), flag, value])
    expect([code, problem?.code]).toEqual([2, refusal])
    expect(shared.read()).toBe(before)
  })

  test.each([
    ['ask', true, 'Nobody is there to ask'],
    ['ask', false, 'It is not known how Mastodon is started'],
    ['run', false, 'It is not known how Mastodon is started'],
  ])('rotate --restart %s is refused (its units known: %s)', async (word, isKnown, why) => {
    const at = isKnown ? shared : stage.machine(shared.read(), {})
    const before = at.read()
    const { code, problem } = await report(at, ['rotate', '--yes', '--restart', word])
    expect([code, problem?.what]).toEqual([2, `--restart ${word} would have no effect here.`])
    expect(problem?.why).toContain(why)
    expect(at.read()).toBe(before)
  })

  test('undo: --media-host, --bucket and --jurisdiction say what is taken back', async () => {
    const place = [...own('other'), '--jurisdiction', 'eu']
    const { steps, settings } = await report(shared, ['undo', '--dry-run', ...place])
    expect(settings).toMatchObject({
      mediaHost: { value: 'other.example.com' },
      bucket: { value: 'other-media' },
      jurisdiction: { value: 'eu' },
    })
    expect(steps.find(({ id }) => id === 'bucket')?.note).toBe('other-media does not exist')
    expect(steps.find(({ id }) => id === 'env-file')?.status).toBe('ready')
  })

  test('rotate makes the new key as it is wished', async () => {
    const wishes = ['--allow-ip', '127.0.0.1', '--expires', '2099-06-30', '--token-kind', 'account']
    const { code } = await report(shared, ['rotate', '--yes', '--restart', 'print', ...wishes])
    expect(code).toBe(3)
    const keys = sandbox.world.tokens.filter(({ name }) => name.includes(' shared-media '))
    expect(keys.map(({ expiresOn }) => expiresOn)).toEqual([
      undefined,
      expect.stringMatching(/^2099-06-30T/),
    ])
    expect(JSON.stringify(keys[1]?.condition)).toContain('127.0.0.1')
    expect(keys[1]).toMatchObject({ kind: 'account' })
  })
})

describe.concurrent('rotate', () => {
  test('another account than that of the key is refused', async () => {
    const account = 'a'.repeat(32)
    const lines = [
      `S3_ENDPOINT=https://${account}.r2.cloudflarestorage.com`,
      ...['S3_ENABLED=true', 'S3_BUCKET=media', 'S3_ALIAS_HOST=files.example.com'],
      ...[`AWS_ACCESS_KEY_ID=${'1'.repeat(32)}`, `AWS_SECRET_ACCESS_KEY=${'2'.repeat(64)}`],
    ]
    const at = stage.machine(`LOCAL_DOMAIN=social.example.com\n${lines.join('\n')}\n`, source)
    const args = ['rotate', '--yes', '--account-id', sandbox.accountId]
    const { code, problem } = await report(at, args)
    expect([code, problem?.what]).toEqual([2, '--account-id would have no effect here.'])
  })
})

describe('sandbox', () => {
  test('stands in as it is told', async () => {
    const at = stage.machine(undefined, source)
    const wishes = [
      ...['--zone', 'example.com', '--zone', 'two.example', '--token-kind', 'user'],
      ...['--domain-delay', '7ms', '--key-delay', '6ms', '--request-delay', '5ms'],
      ...['--refuse-parts', '--refuse-strangers', 'hotlinks', '--rate-limit', '900/s'],
    ]
    const { HOME, TMPDIR } = stage.environment(at)
    const running = start(['sandbox', '--json', '--attached', ...wishes], {
      cwd: at.dir,
      env: { HOME, TMPDIR },
    })
    await until('the sandbox is up', () => running.said().includes('"apiToken"'))
    const address = JSON.parse(running.said()) as SandboxAddress
    const asked = async (name: string) =>
      (await fetch(new URL(`/sandbox/${name}`, address.cloudflareApiUrl))).json()
    expect(await asked('state')).toMatchObject({
      zones: [{ name: 'example.com' }, { name: 'two.example' }],
      delays: { domainMs: 7, keyMs: 6, requestMs: 5 },
      tokens: [{ kind: 'user' }],
    })
    expect(await asked('faults')).toMatchObject([{ side: 's3', above: 900, status: 429 }])
    const env = {
      ...{ HOME, TMPDIR, CLOUDFLARE_BASE_URL: address.cloudflareApiUrl },
      ...{ CLOUDFLARE_API_TOKEN: address.apiToken, NODE_EXTRA_CA_CERTS: address.caFile },
    }
    const world = [
      ...['--s3-endpoint-url', String(address.s3EndpointUrls.default)],
      ...address.connectTo.flatMap((one) => ['--connect-to', one]),
    ]
    const options = { cwd: at.dir, env }
    expect((await runHere(['init', '--yes', ...own('stood'), ...world], options)).code).toBe(0)
    expect(settingsOf(at.read()).S3_FORCE_SINGLE_REQUEST).toBe('true')
    const { stdout } = await runHere(['check', '--json', ...world], options)
    expect(stdout).toContain('The media host answers this program, and refuses')
    running.child.stdin?.end()
    expect((await running.ended).code).toBe(0)
  })
})
