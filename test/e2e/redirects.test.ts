import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openRedirectingServer } from './redirecting-server.ts'

const server = await openRedirectingServer()
afterAll(() => server.close())
const limit = { timeout: 60_000 }
beforeEach(() => server.back())

const single = /^dynamic_redirect mastodon-r2-redirect-[0-9a-f]{12} 301$/

test('nothing is redirected before the media is in the bucket', limit, async () => {
  await server.emptyBucket()
  const { code, problem } = await server.report()
  expect([code, problem?.code]).toEqual([1, 'media-not-copied'])
  expect(server.stage.writes().filter(({ path }) => path.includes('rulesets'))).toEqual([])
})

test.each([{ flags: [] }, { flags: ['--assume-restarted'] }])(
  'nor before all of Mastodon runs with it: $flags',
  limit,
  async ({ flags }) => {
    server.notRestarted()
    const { code, problem } = await server.report(['--yes', ...flags])
    expect([code, problem?.code]).toEqual([2, 'redirect-before-restart'])
    expect(server.stage.writes().filter(({ path }) => path.includes('rulesets'))).toEqual([])
  },
)

test('a copy after the switch has seen nothing of what runs', limit, async () => {
  server.notRestarted()
  const env = { XDG_STATE_HOME: join(server.at.dir, 'state') }
  const copied = await server.stage.initHere(server.at, ['migrate', '--stage', 'copy', '--yes'], {
    env,
  })
  expect(copied.code, copied.stdout + copied.stderr).toBe(0)
  const { code, stdout } = await server.redirectsHere(['--yes'], { env })
  expect([code, stdout]).toEqual([2, expect.stringContaining('Not all of Mastodon was restarted')])
})

describe('with the media in the bucket', () => {
  test('--dry-run tells, and changes nothing', limit, async () => {
    const { code, stdout } = await server.redirects(['--dry-run'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/lead https:\/\/social\.example\.com\/system\/\.\.\. to https:\/\/files/)
    expect(server.stage.writes()).toEqual([])
  })

  test('without --yes nobody has agreed', limit, async () => {
    const { code, problem } = await server.report([])
    expect([code, problem?.code]).toEqual([2, 'not-agreed'])
    expect(server.stage.writes()).toEqual([])
  })

  test('a rule of the zone, once; a second run has nothing to do', limit, async () => {
    expect((await server.redirects()).code).toBe(0)
    expect(server.rules()).toEqual([expect.stringMatching(single)])
    server.stage.forget()
    const { code, steps } = await server.report()
    expect([code, ...steps.map(({ status }) => status)]).toEqual([0, 'ready', 'ready'])
    expect(server.stage.writes()).toEqual([])
  })

  test('check sees where old addresses lead', limit, async () => {
    expect((await server.redirectsHere()).code).toBe(0)
    const { stdout } = await server.stage.initHere(server.at, ['check', '--json'])
    expect(stdout).toContain('/system/… leads to the media host')
  })

  test('undo keeps the domain that they need', limit, async () => {
    expect((await server.redirectsHere()).code).toBe(0)
    server.offR2()
    const line = ['undo', '--detach-domain', '--yes', '--json']
    const { code, stdout } = await server.stage.initHere(server.at, line)
    const { problem } = JSON.parse(stdout)
    expect([code, problem.code]).toEqual([2, 'undo-redirected'])
    expect(problem.why).toContain(
      '  https://social.example.com/system/... to https://files.example.com/...',
    )
    expect(problem.next).toContain('redirects --s3-endpoint-url')
  })

  test('--remove works after undo, by the line that it tells', limit, async () => {
    expect((await server.redirectsHere()).code).toBe(0)
    const undo = (...more: readonly string[]) =>
      server.stage.initHere(server.at, ['undo', '--yes', ...more])
    expect((await undo()).code).toBe(0)
    expect(server.envText()).not.toContain('S3_ENABLED')
    const { code, stdout } = await undo('--detach-domain')
    expect([code, stdout]).toEqual([
      2,
      expect.stringMatching(/redirects .*--media-host files\.example\.com --remove\n/),
    ])
    const line = ['--media-host', 'files.example.com', '--remove', '--yes']
    expect((await server.redirectsHere(line)).code).toBe(0)
    expect(server.rules()).toEqual([])
  })

  test('--remove takes ours and leaves those of others', limit, async () => {
    expect((await server.redirectsHere()).code).toBe(0)
    server.addTheirs()
    const { code, stdout } = await server.redirects(['--remove', '--yes'])
    expect([code, server.rules()]).toEqual([0, ['dynamic_redirect theirs 308']])
    expect(stdout).toContain('The redirects are gone.')
    expect((await server.redirectsHere(['--remove', '--yes'])).stdout).toContain(
      'There was no redirect',
    )
  })

  test('a list of the account, behind the rules of others', limit, async () => {
    server.addTheirs()
    const { code, stdout } = await server.redirects(['--via', 'bulk', '--yes'])
    expect(code, stdout).toBe(0)
    expect(server.items()).toEqual([
      'mastodon_r2_redirects social.example.com/system/ https://files.example.com/ 301',
    ])
    expect((await server.report(['--via', 'bulk', '--yes'])).steps.at(-1)?.status).toBe('ready')
    const single = await server.redirectsHere(['--remove', '--via', 'single', '--yes'])
    expect(single.stdout).toContain('no such redirect of this program at Cloudflare; others were')
    expect((await server.redirectsHere(['--remove', '--yes'])).code).toBe(0)
    expect([server.rules(), server.items()]).toEqual([['dynamic_redirect theirs 308'], []])
  })

  test('--old-address names other addresses, --status 302 stays temporary', limit, async () => {
    server.addTheirs()
    const from = ['--old-address', '/system/accounts/', '--old-address', '/old-media/']
    const ended = await server.redirects([...from, '--status', '302', '--yes'])
    expect(ended.code, ended.stdout).toBe(0)
    expect(server.rules().filter((rule) => / 302$/.test(rule)).length).toBe(2)
    expect((await server.redirectsHere(['--remove', ...from.slice(2), '--yes'])).code).toBe(0)
    expect(server.rules().filter((rule) => / 302$/.test(rule)).length).toBe(1)
    expect((await server.redirectsHere(['--remove', '--yes'])).code).toBe(0)
    expect(server.rules()).toEqual(['dynamic_redirect theirs 308'])
  })

  test('old places of another provider: a rule for ours, a word about others', limit, async () => {
    const { dnsRecords, buckets } = server.sandbox.world
    const own = dnsRecords.find(({ name }) => name === 'social.example.com')
    const domain = buckets[0]?.domains[0]
    if (!own || !domain) throw new Error('There is nothing to copy from.')
    dnsRecords.push({ ...own, name: 'old.example.com' })
    // The sandbox has certificates for hosts of buckets alone.
    buckets[0]?.domains.push({ ...domain, host: 'old.example.com' })
    const was = (alias: string) => `S3_ENABLED=true\nS3_ALIAS_HOST=${alias}\nA_PASSWORD=secret\n`
    server.backup('20260101T100000Z', was('old.example.com/file/my-media'))
    server.backup('20250101T100000Z', was('cdn.other.example/x'))
    const { code, steps, next } = await server.report()
    expect(code).toBe(0)
    expect(steps.map(({ id, status }) => [id, status])).toEqual([
      ['known-media', 'ready'],
      ['single-redirect:old.example.com/file/my-media/', 'changed'],
      ['single-redirect:social.example.com/system/', 'changed'],
      ['kept:cdn.other.example/x/', 'skipped'],
      ['extra-media-hosts', 'changed'],
    ])
    expect(next.join()).not.toContain('secret')
    expect(server.envText()).toContain('EXTRA_MEDIA_HOSTS=https://cdn.other.example\n')
    expect((await server.redirectsHere(['--remove', '--yes'])).code).toBe(0)
    expect(server.rules()).toEqual([])
  })

  test('not proxied: the block for nginx, the reason, and no change', limit, async () => {
    server.proxied(false)
    const { code, steps, next } = await server.report()
    expect(code).toBe(0)
    expect(steps.at(-1)?.note).toMatch(/does not pass through Cloudflare/)
    expect(next[0]).toMatch(/location \^~ \/system\/ \{[^}]*try_files \$uri @/)
    expect(next[0]).toContain('https://files.example.com/$1 redirect;')
    const single = await server.report(['--via', 'single', '--yes'])
    expect([single.code, single.problem?.code]).toEqual([2, 'host-not-proxied'])
    expect(server.stage.writes()).toEqual([])
  })

  test('without a token: what the web server can do', limit, async () => {
    const env = { CLOUDFLARE_API_TOKEN: '' }
    const auto = await server.redirects(['--yes'], { env })
    expect([auto.code, auto.stdout]).toEqual([0, expect.stringContaining('location ^~ /system/')])
    const caddy = await server.redirects(['--via', 'caddy', '--yes'], { env })
    expect(caddy.stdout).toContain('handle_path /system/* {')
    expect((await server.redirects(['--via', 'single', '--yes'], { env })).code).toBe(2)
    expect((await server.redirects(['--remove', '--via', 'nginx', '--yes'], { env })).code).toBe(2)
    expect(server.stage.writes()).toEqual([])
  })

  test.each([
    ['--account-id', ['--account-id', 'f'.repeat(32)], ''],
    ['--cloudflare-api-url', ['--cloudflare-api-url', 'http://127.0.0.1:9'], ''],
    ['--account-id with --via nginx', ['--via', 'nginx', '--account-id', 'f'.repeat(32)], 'token'],
    ['--api-token-file with --via caddy', ['--via', 'caddy', '--api-token-file', '-'], 'token'],
    ['--status with --remove', ['--remove', '--status', '302'], 'token'],
    ['--account-id', ['--account-id', 'f'.repeat(32)], 'token'],
  ])('%s would have no effect, and is refused', limit, async (flag, args, token) => {
    const env = token === '' ? { CLOUDFLARE_API_TOKEN: '' } : {}
    const input = server.sandbox.bootstrapToken.reveal()
    const { code, stdout } = await server.redirectsHere(['--yes', ...args], { env, input })
    expect([code, stdout]).toEqual([
      2,
      expect.stringContaining(`${flag} would have no effect here.`),
    ])
    expect(stdout).not.toMatch(/Leave --\S+ with/)
    expect(server.stage.writes()).toEqual([])
  })

  test('a line for a web server has no flag that it would be refused for', limit, async () => {
    const env = { CLOUDFLARE_ACCOUNT_ID: 'f'.repeat(32) }
    const { stdout } = await server.redirectsHere(['--via', 'nginx', '--yes'], { env })
    const line = stdout.split('\n').find((one) => one.includes('npx mastodon-r2 redirects'))
    expect(line).toMatch(/^ +npx mastodon-r2 redirects .*--via nginx/)
    expect(line).not.toMatch(/--account-id|--cloudflare-api-url/)
  })

  test('--media-host is where old addresses lead, whatever the env file says', limit, async () => {
    const { stdout } = await server.redirects(['--media-host', 'new.example.com', '--dry-run'])
    expect(stdout).toContain('to https://new.example.com/')
  })

  test.each([
    ['files.example.com', 'redirect-of-itself'],
    ['social.example.com', 'redirect-of-itself'],
  ])('--old-address %s is refused', limit, async (from, problem) => {
    const report = await server.report(['--old-address', from, '--yes'])
    expect([report.code, report.problem?.code]).toEqual([2, problem])
  })

  test(
    'a token that may only look: the permission is named, nothing is left behind',
    limit,
    async () => {
      const [token] = server.sandbox.world.tokens
      const readOnly = structuredClone(token?.policies) as {
        permission_groups: { name: string }[]
      }[]
      for (const policy of readOnly) {
        policy.permission_groups = policy.permission_groups.filter(
          ({ name }) => !/Redirects Write|Rulesets Write|Lists Write/.test(name),
        )
      }
      Object.assign(token ?? {}, { policies: readOnly })
      const auto = await server.report()
      expect([auto.code, auto.steps.at(-1)?.note]).toEqual([
        0,
        expect.stringContaining('lacks "Single Redirect: Edit"'),
      ])
      const asked = await server.report(['--via', 'single', '--yes'])
      expect([asked.code, asked.problem?.code]).toEqual([1, 'redirect-permission'])
    },
  )

  test('once the old files are gone from the disk, the bucket tells', limit, async () => {
    server.addTheirs()
    server.forgetDisk()
    expect((await server.redirects()).code).toBe(0)
    expect(server.rules()).toEqual(['dynamic_redirect theirs 308', expect.stringMatching(single)])
  })
})
