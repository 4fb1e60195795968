import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runHere } from './in-process.ts'
import { ENV, filesBelow, LOCAL_DOMAIN, type Machine, machine } from './machine.ts'
import { familyOf, isAlive } from './processes.ts'
import { type Running, run, start } from './program.ts'
import { until } from './stage.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-e2e-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fresh = () => machine(folder, { [ENV]: LOCAL_DOMAIN })
const options = ({ dir, home, tmp }: Machine) => ({ cwd: dir, env: { HOME: home, TMPDIR: tmp } })

/** Every process of a run, once the sandbox is up. */
async function familyWhen(running: Running, what: RegExp): Promise<number[]> {
  await until(`${what} is said`, () => what.test(running.said()))
  const pids = familyOf(running.pid).map(({ pid }) => pid)
  expect(pids.length).toBeGreaterThan(1)
  return pids
}

async function leavesNothing(at: Machine, pids: readonly number[]) {
  await until('all processes are gone', () => !pids.some(isAlive))
  expect(filesBelow(at.tmp)).toEqual(new Map())
  expect(filesBelow(at.home)).toEqual(new Map())
}

describe.concurrent('sandbox', () => {
  test('prints what to export, and works until Ctrl-C', async () => {
    const at = fresh()
    const running = start(['sandbox', '--domain-delay', '0ms', '--key-delay', '0ms'], options(at))
    const pids = await familyWhen(running, /sandbox\/log/)
    const said = running.said()
    const exported = Object.fromEntries(
      [...said.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
    )
    expect(Object.keys(exported)).toEqual([
      'CLOUDFLARE_BASE_URL',
      'CLOUDFLARE_API_TOKEN',
      'NODE_EXTRA_CA_CERTS',
    ])
    const flags = /^npx mastodon-r2 (init .*)$/m.exec(said)?.[1]?.split(' ') ?? []
    const other = fresh()
    const setup = await run([...flags, '--media-host', 'files.example.com', '--yes'], {
      cwd: other.dir,
      env: { HOME: other.home, TMPDIR: other.tmp, ...exported },
    })
    expect({ code: setup.code, stderr: setup.stderr }).toEqual({ code: 0, stderr: '' })
    expect(other.read('try.env')).toContain('S3_ALIAS_HOST=files.example.com\n')
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
    await leavesNothing(at, pids)
  })

  test('--attached ends when standard input does', async () => {
    const at = fresh()
    const running = start(['sandbox', '--json', '--attached'], options(at))
    const pids = await familyWhen(running, /"apiToken"/)
    expect(JSON.parse(running.said())).toMatchObject({
      cloudflareApiUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/client\/v4$/),
      connectTo: [expect.stringMatching(/^::127\.0\.0\.1:\d+$/)],
    })
    running.child.stdin?.end()
    expect((await running.ended).code).toBe(0)
    await leavesNothing(at, pids)
  })
})

describe.concurrent('sandbox --media', () => {
  const wish = ['--media', '40', '--uploads', '9/s']

  test('runs a Mastodon, whose programs come first in PATH', async () => {
    const at = fresh()
    const running = start(['sandbox', '--json', '--attached', ...wish], options(at))
    const pids = await familyWhen(running, /"apiToken"/)
    const { mastodon } = JSON.parse(running.said())
    const folder = join(mastodon.dir, '..')
    expect(folder.startsWith(at.tmp)).toBe(true)
    expect(mastodon).toEqual({
      dir: join(folder, 'live'),
      bin: join(folder, 'bin'),
      calls: join(folder, 'calls.jsonl'),
      uploads: join(folder, 'uploads.jsonl'),
    })
    const env = { PATH: `${mastodon.bin}:${process.env.PATH}` }
    const asked = ['is-active', 'mastodon-web', 'mastodon-sidekiq']
    const answer = spawnSync('systemctl', asked, { env, encoding: 'utf8', timeout: 20_000 })
    expect([answer.stdout, answer.stderr]).toEqual(['active\nactive\n', ''])
    expect(JSON.parse(readFileSync(mastodon.calls, 'utf8'))).toMatchObject({ args: asked })
    await until('something is uploaded', () => readFileSync(mastodon.uploads, 'utf8') !== '')
    await until('web, two workers and Sidekiq are shown', () => {
      const shown = familyOf(running.pid).filter(({ argv }) => /^(puma|sidekiq)[: ]/.test(argv))
      return shown.length === 4
    })
    const family = [...new Set([...pids, ...familyOf(running.pid).map(({ pid }) => pid)])]
    running.child.stdin?.end()
    expect((await running.ended).code).toBe(0)
    await leavesNothing(at, family)
  })

  test('prints the line that migrates it', async () => {
    const at = fresh()
    const running = start(['sandbox', '--attached', '--media', '5'], options(at))
    const pids = await familyWhen(running, /sandbox\/log/)
    const said = running.said()
    expect(said).toMatch(/^export PATH=\S+\/mastodon\/bin:\$PATH$/m)
    expect(said).toMatch(
      /^npx mastodon-r2 init --existing-media prepare --mastodon-dir \S+\/live /m,
    )
    expect(said).toMatch(
      /^npx mastodon-r2 migrate --mastodon-dir \S+\/live --s3-endpoint-url http:/m,
    )
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
    await leavesNothing(at, pids)
  })

  test('killed, its Mastodon ends as well', async () => {
    const running = start(['sandbox', '--json', '--attached', ...wish], options(fresh()))
    await familyWhen(running, /"apiToken"/)
    const family = familyOf(running.pid).filter(({ pid }) => pid !== running.pid)
    const [emulator, services] = [true, false].map((is) =>
      family.filter(({ argv }) => argv.includes('workerd') === is).map(({ pid }) => pid),
    )
    expect(services?.length).toBeGreaterThan(1)
    running.child.kill('SIGKILL')
    await running.ended
    // Cloudflare's emulator does not notice that nobody is left.
    for (const pid of emulator ?? []) process.kill(pid)
    await until('all processes are gone', () => !services?.some(isAlive))
  })

  test.each([
    [['--uploads', '5/s'], '--uploads needs --media.'],
    [['--media', '0'], 'must be a whole number'],
    [['--media', '10', '--uploads', 'many'], 'is not a number a second'],
  ])('%j is refused', async (args, words) => {
    const { code, stderr } = await runHere(['sandbox', ...args], options(fresh()))
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })
})

describe('migrate --sandbox', () => {
  test('goes through all stages, loses no upload, and leaves nothing behind', {
    timeout: 160_000,
  }, async () => {
    const at = fresh()
    const before = at.files()
    const ended = await run(['migrate', '--sandbox', '--yes'], {
      ...options(at),
      limitMs: 150_000,
    })
    expect(ended.code, ended.stdout + ended.stderr).toBe(0)
    expect(ended.stdout).toContain('This is a rehearsal')
    expect(ended.stdout).toMatch(/[\d,]+ files were uploaded\. Each of them is in the bucket\.$/m)
    expect(ended.stdout.trimEnd()).toMatch(/That was a rehearsal; all of it is gone now\.$/)
    expect(at.files()).toEqual(before)
    expect(filesBelow(at.tmp)).toEqual(new Map())
  })

  test('one stage as JSON is one report', { timeout: 160_000 }, async () => {
    const at = fresh()
    const args = ['migrate', '--sandbox', '--stage', 'compare', '--json']
    const { code, stdout } = await runHere(args, options(at))
    const report = JSON.parse(stdout)
    expect([code, report.ok, report.steps.length]).toEqual([0, true, 1])
    expect(filesBelow(at.home)).toEqual(new Map())
  })

  test('the redirects are made and seen, after all that has to be done before them', async () => {
    const args = ['migrate', '--sandbox', '--stage', 'redirects', '--yes']
    const { code, stdout } = await runHere(args, options(fresh()))
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expect(stdout).toContain('leads to https://files.example.com/ with 301, seen')
    expect(stdout).not.toContain('npx mastodon-r2 redirects')
  })

  test('a dry run of the switch copies first, and shows the sequence', {
    timeout: 160_000,
  }, async () => {
    const args = ['migrate', '--sandbox', '--stage', 'cutover', '--dry-run']
    const { code, stdout } = await runHere(args, options(fresh()))
    expect(code, stdout).toBe(0)
    expect(stdout.indexOf('Copied.')).toBeLessThan(stdout.indexOf('Plan: cutover'))
    expect(stdout).toContain('systemctl kill -s TSTP --kill-who=main')
    expect(stdout.match(/That is the plan\. Nothing was changed\./g)?.length).toBe(1)
    expect(stdout).not.toContain('Switched: Mastodon stores')
  })

  test.each([
    ['--mastodon-dir', '.'],
    ['--from', 's3'],
    ['--engine', 'super-slurper'],
  ])('%s %s is refused', async (flag, value) => {
    const at = fresh()
    const { code, stdout } = await runHere(['migrate', '--sandbox', flag, value], options(at))
    expect(code).toBe(2)
    expect(stdout).toContain(`--sandbox and ${flag} can't both be meant.`)
  })
})

describe.concurrent('init --sandbox', () => {
  const rehearse = (at: Machine, ...args: string[]) =>
    run(['init', '--sandbox', '--yes', ...args], options(at))

  test('says that it is a rehearsal and changes nothing', async () => {
    const at = fresh()
    const before = at.files()
    const { code, stdout, stderr } = await rehearse(at)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.split('\n')
    expect(lines.slice(0, 4).join('\n')).toContain('This is a rehearsal')
    expect(lines.slice(-5).join('\n')).toContain('That was a rehearsal')
    expect(stdout).toContain('R2 is ready and proven.')
    expect(stdout).toContain('files.example.com')
    expect(at.files()).toEqual(before)
  })

  test('needs no Mastodon', async () => {
    const at = fresh()
    rmSync(at.path(ENV))
    const { code, stdout } = await rehearse(at, '--media-host', 'media.example.org')
    expect(code).toBe(0)
    expect(stdout).toContain('https://media.example.org')
    expect(at.files()).toEqual(new Map())
  })

  test('stopped half-way leaves nothing behind', async () => {
    const at = fresh()
    const before = at.files()
    const running = start(['init', '--sandbox', '--yes'], options(at))
    const pids = await familyWhen(running, /wait {4}Custom domain/)
    running.child.kill('SIGINT')
    const { code, stdout } = await running.ended
    expect(code).toBe(130)
    expect(stdout).toContain('Stopped before the end.')
    await until('all processes are gone', () => !pids.some(isAlive))
    expect(at.files()).toEqual(before)
  })
})
