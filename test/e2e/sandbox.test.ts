import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
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
    const flags = /^mastodon-r2 (init .*)$/m.exec(said)?.[1]?.split(' ') ?? []
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
