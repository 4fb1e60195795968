import { statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { HOST } from './stage.ts'

const server = rcloneMissing ? undefined : await openMigratingServer({ media: 20 })
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}

/** Left: the media is on the disk, and the bucket as it was. */
beforeAll(async () => {
  if (!server) return
  const { at, env, stage, migrateHere } = server
  for (const name of ['copy', 'cutover']) {
    const ended = await migrateHere(['--stage', name, '--yes'])
    expect(ended.code, ended.stdout + ended.stderr).toBe(0)
  }
  const ended = await stage.initHere(at, ['leave', '--stage', 'cutover', '--yes'], { env })
  expect(ended.code, ended.stdout + ended.stderr).toBe(0)
  expect(ended.stdout).toContain('--stage redirects')
}, 180_000)

/** Status and target of our rules. */
function rules(): string[] {
  const { rulesets } = the().stage.sandbox.world.edge
  const all = rulesets.flatMap(({ rules }) => rules)
  const ours = all.filter(({ ref }) => ref?.startsWith('mastodon-r2-redirect-'))
  return ours.map(({ parameters }) => {
    const { from_value: value } = parameters as {
      from_value: { target_url: { expression: string }; status_code: number }
    }
    return `${value.status_code} ${value.target_url.expression}`
  })
}

const leave = (args: readonly string[], more: Record<string, string> = {}) =>
  the().stage.initHere(the().at, ['leave', '--stage', 'redirects', ...args], {
    env: { ...the().env, ...more },
  })

describe.skipIf(rcloneMissing)(`addresses of the media host ${rcloneMissing ?? ''}`, () => {
  test('the media host leads to the disk, seen, and back to R2 with --undo', async () => {
    const { at, stage } = the()
    const { apiUrl, bootstrapToken } = stage.sandbox
    const token = join(at.home, 'token')
    writeFileSync(token, bootstrapToken.reveal(), { mode: 0o600 })
    const flags = ['--api-token-file', token, '--cloudflare-api-url', apiUrl]
    const unset = { CLOUDFLARE_API_TOKEN: '', CLOUDFLARE_BASE_URL: '' }
    const planned = await leave([...flags, '--dry-run'], unset)
    expect(planned.code, planned.stdout).toBe(0)
    expect(planned.stdout).toContain(
      `lead https://${HOST}/... to https://social.example.com/system/...`,
    )
    expect(rules()).toEqual([])
    const made = await leave([...flags, '--yes'], unset)
    expect(made.code, made.stdout + made.stderr).toBe(0)
    expect(made.stdout).toContain(`${HOST}/... leads to https://social.example.com/system/...`)
    expect(rules()).toEqual([
      '302 concat("https://social.example.com/system/", substring(http.request.uri.path, 1))',
    ])
    const again = await leave([...flags, '--yes', '--json'], unset)
    expect(JSON.parse(again.stdout).steps).toMatchObject([
      { status: 'ready' },
      { status: 'ready', note: expect.stringContaining('302, seen') },
    ])
    const undone = await leave([...flags, '--undo', '--yes'], unset)
    expect(undone.code, undone.stdout).toBe(0)
    expect(undone.stdout).toContain(`https://${HOST}/... is answered by the bucket on R2 again.`)
    expect(rules()).toEqual([])
    const none = await leave([...flags, '--undo', '--yes'], unset)
    expect(none.code, none.stdout).toBe(0)
    expect(none.stdout).toContain('Nothing was changed: no rule of this program')
    const said = [planned, made, again, undone].map(({ stdout, stderr }) => stdout + stderr)
    expect(said.join('')).not.toContain(bootstrapToken.reveal())
  })

  test.each([
    ['round in a circle', 'LOCAL_DOMAIN', HOST, 'new-place-not-served'],
    [
      'from a zone that the token does not see',
      'S3_ALIAS_HOST',
      'files.example.org',
      'media-zone-not-seen',
    ],
  ])('what would lead %s is not made', async (_, name, value, problem) => {
    const { at } = the()
    const before = at.read()
    const path = at.path('.env.production')
    const { atime, mtime } = statSync(path)
    const write = (text: string) => {
      at.write('.env.production', text)
      utimesSync(path, atime, mtime)
    }
    write(before.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${value}`))
    try {
      const { code, stdout } = await leave(['--yes', '--json'])
      expect([code, JSON.parse(stdout).problem]).toMatchObject([1, { code: problem }])
      expect(rules()).toEqual([])
    } finally {
      write(before)
    }
  })

  test('before all of Mastodon runs with the new settings none is made', async () => {
    const path = the().at.path('.env.production')
    const { atime, mtime } = statSync(path)
    const later = new Date(Date.now() + 5_000)
    utimesSync(path, later, later)
    try {
      for (const flags of [[], ['--assume-restarted']]) {
        const { code, stdout } = await leave(['--yes', '--json', ...flags])
        expect([code, JSON.parse(stdout).problem.code]).toEqual([2, 'leave-not-switched'])
      }
      expect(rules()).toEqual([])
    } finally {
      utimesSync(path, atime, mtime)
    }
  })

  test('a rule that somebody has changed since is named, and stays', async () => {
    const made = await leave(['--yes'])
    expect(made.code, made.stdout).toBe(0)
    const { rulesets } = the().stage.sandbox.world.edge
    const rule = rulesets
      .flatMap((set) => set.rules)
      .find(({ ref }) => ref?.startsWith('mastodon-r2-redirect-'))
    if (!rule) throw new Error('There is no rule.')
    const { expression } = rule
    const change = (text: string) => Object.assign(rule, { expression: text })
    change(`${expression} and not ssl`)
    for (const flags of [['--undo'], []]) {
      const { code, stdout } = await leave([...flags, '--yes', '--json'])
      const problem = { code: 'leave-rule-changed', why: expect.stringContaining('and not ssl') }
      expect([code, JSON.parse(stdout).problem]).toMatchObject([1, problem])
      expect(rules()).toHaveLength(1)
    }
    change(expression)
    expect((await leave(['--undo', '--yes'])).code).toBe(0)
    expect(rules()).toEqual([])
  })

  test('without a token nobody is asked, and nothing is made', async () => {
    const { code, stdout } = await leave(['--yes', '--json'], { CLOUDFLARE_API_TOKEN: '' })
    expect([code, JSON.parse(stdout).problem.code]).toEqual([2, 'settings-missing'])
    expect(rules()).toEqual([])
  })
})
