import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { runHere } from './in-process.ts'
import { ENV, filesBelow, LOCAL_DOMAIN, type Machine, machine } from './machine.ts'
import { cli, run } from './program.ts'
import { openTerminal, type Terminal, tmuxMissing } from './terminal.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-e2e-'))
const open: Terminal[] = []
afterEach(() => {
  for (const terminal of open.splice(0)) terminal.close()
})

/** What would be the real Cloudflare: it has to hear nothing. */
const asked: string[] = []
const cloudflare = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`)
  response.writeHead(500).end()
}).listen(0, '127.0.0.1')
afterAll(() => {
  cloudflare.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Milliseconds; a sandbox and a whole setup come before the command. */
const limitMs = 150_000
const patient = { timeout: 160_000 }

const TOKEN = 'cfut_ofTheRealAccount0123456789abcdefABCDEF'
const ofReal = `${LOCAL_DOMAIN}SECRET_KEY_BASE=${'5'.repeat(64)}\nDB_PASS=ofTheRealDatabase\n`

/** A server with settings of its own, and with a token for the real account in its environment. */
function server(): Machine & { readonly env: Record<string, string> } {
  const at = machine(folder, { [ENV]: ofReal })
  const { port } = cloudflare.address() as AddressInfo
  const env = {
    HOME: at.home,
    TMPDIR: at.tmp,
    CLOUDFLARE_API_TOKEN: TOKEN,
    CLOUDFLARE_ACCOUNT_ID: 'a'.repeat(32),
    CLOUDFLARE_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
    MASTODON_R2_ENV_FILE: at.path(ENV),
  }
  return { ...at, env }
}

/** Neither content nor any time of the real env file moves, and nothing is left behind. */
function untouched(at: Machine) {
  const state = () => {
    const { ino, mode, mtimeMs, ctimeMs } = statSync(at.path(ENV))
    return { text: at.read(), ino, mode, mtimeMs, ctimeMs }
  }
  const before = state()
  return () => {
    expect(state()).toEqual(before)
    expect(filesBelow(at.tmp)).toEqual(new Map())
    expect([...filesBelow(at.home).keys()].filter((path) => !path.includes('/tmux-'))).toEqual([])
    expect(asked).toEqual([])
  }
}

const statusOf = (stdout: string) => {
  const { steps } = JSON.parse(stdout) as { steps: { id: string; status: string }[] }
  return Object.fromEntries(steps.map(({ id, status }) => [id, status]))
}

describe('a command with --sandbox is about a setup that is made first', () => {
  test(
    'undo --sandbox takes all of it back, and touches nothing that is real',
    patient,
    async () => {
      const at = server()
      const isUntouched = untouched(at)
      const all = ['--detach-domain', '--delete-empty-bucket']
      const args = ['undo', '--sandbox', '--yes', '--json', ...all]
      const { code, stdout, stderr } = await run(args, { cwd: at.dir, env: at.env, limitMs })
      expect({ code, stderr }).toMatchObject({ code: 0 })
      expect(stderr).toContain('This is a rehearsal')
      expect(stderr).toContain('Set up there first, as init does it, with files.example.com.')
      expect(statusOf(stdout)).toMatchObject({
        'env-file': 'changed',
        'access-keys': 'changed',
        'media-domain': 'changed',
        bucket: 'changed',
      })
      expect(stdout + stderr).not.toContain('ofTheReal')
      isUntouched()
    },
  )

  test('undo --sandbox is about the bucket and the host that are named', patient, async () => {
    const at = server()
    const isUntouched = untouched(at)
    const wishes = ['--media-host', 'pics.example.com', '--bucket', 'my-media']
    const args = ['undo', '--sandbox', '--dry-run', '--jurisdiction', 'eu', ...wishes]
    const { code, stdout } = await runHere(args, { cwd: at.dir, env: at.env })
    expect(code, stdout).toBe(0)
    expect(stdout).toContain('https://pics.example.com serves the bucket')
    expect(stdout).toContain('my-media is empty')
    expect(stdout.trimEnd()).toMatch(
      /For real:\n {2}npx mastodon-r2 undo --mastodon-env \S+ --cloudflare-api-url \S+$/,
    )
    expect(stdout).not.toContain('systemctl')
    isUntouched()
  })

  test('rotate --sandbox replaces the key there, with nothing to restart', patient, async () => {
    const at = server()
    const isUntouched = untouched(at)
    const args = ['rotate', '--sandbox', '--yes', '--json']
    const { code, stdout, stderr } = await runHere(args, { cwd: at.dir, env: at.env })
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(statusOf(stdout)).toMatchObject({
      'new-key': 'changed',
      'env-file': 'changed',
      'fresh-processes': 'ready',
      'retire-key': 'changed',
    })
    expect(statusOf(stdout)).not.toHaveProperty('restart')
    isUntouched()
  })

  test('check --sandbox finds all well, Cloudflare included', patient, async () => {
    const at = server()
    const isUntouched = untouched(at)
    const args = ['check', '--sandbox', '--json']
    const { code, stdout, stderr } = await runHere(args, { cwd: at.dir, env: at.env })
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const { checks } = JSON.parse(stdout) as { checks: { id: string; severity: string }[] }
    const severities = new Map(checks.map(({ id, severity }) => [id, severity]))
    expect([...severities.values()]).not.toContain('fault')
    expect(severities.get('mastodon')).toBe('skipped')
    expect(severities.get('cloudflare-zone')).toBe('ok')
    isUntouched()
  })
})

describe('refused before anything is started', () => {
  test.each([
    ['undo', '--s3-endpoint-url', 'http://127.0.0.1:1'],
    ['undo', '--account-id', 'b'.repeat(32)],
    ['rotate', '--connect-to', '::127.0.0.1:1'],
    ['rotate', '--restart', 'run'],
    ['rotate', '--assume-restarted'],
    ['rotate', '--schedule'],
    ['check', '--cloudflare-api-url', 'http://127.0.0.1:1'],
    ['check', '--format', 'nagios'],
    ['check', '--log-file', 'log'],
    ['undo', '--log-file', 'log'],
  ])('%s --sandbox %s', async (command, ...flags) => {
    const at = server()
    const isUntouched = untouched(at)
    const args = [command, '--sandbox', ...flags]
    const { code, stdout, stderr } = await runHere(args, { cwd: at.dir, env: at.env })
    expect(code, stdout + stderr).toBe(command === 'check' && flags[1] === 'nagios' ? 3 : 2)
    expect(stdout + stderr).toContain('--sandbox')
    isUntouched()
  })

  test.each(['usage', 'purge', 'leave', 'redirects'])('%s has no rehearsal', async (command) => {
    const at = server()
    const { code, stdout } = await runHere([command, '--sandbox'], { cwd: at.dir, env: at.env })
    expect(code).toBe(2)
    expect(stdout).toContain(`\`${command}\` has no rehearsal.`)
  })
})

describe.skipIf(tmuxMissing)(`init --sandbox in a terminal ${tmuxMissing ?? ''}`, () => {
  function begin(at: ReturnType<typeof server>, columns: number): Terminal {
    const args = ['init', '--sandbox', '--media-host', 'files.example.com', '--edge', 'recommended']
    const { dir: cwd, home, env } = at
    const terminal = openTerminal([...args, '--existing-media', 'switch'], {
      ...{ columns, rows: 200, cwd, folder: home },
      env: { ...env, LANG: 'C.UTF-8' },
    })
    open.push(terminal)
    return terminal
  }

  /** The question itself: a key that is pressed before it would be lost. */
  const offered = (way: string) => new RegExp(`● ${way} [\\s\\S]*confirm`)
  const agreed = async (terminal: Terminal, command: string, answer: string) => {
    await terminal.see(
      new RegExp(`mastodon-r2 ${command}[\\s\\S]*Carry this out[^\\n]*[\\s\\S]*Yes`),
    )
    terminal.type(answer)
  }

  test('there and back again, 60 columns wide', patient, async () => {
    const at = server()
    const isUntouched = untouched(at)
    const terminal = begin(at, 60)
    await agreed(terminal, 'init', 'y')
    await terminal.see(offered('check'))
    terminal.press('Enter')
    await terminal.see(/mastodon-r2 check[\s\S]*All well\./)
    await terminal.see(offered('undo'))
    terminal.press('Enter')
    await agreed(terminal, 'undo', 'n')
    await terminal.see('Nothing was changed.')
    await terminal.see(/Nothing was changed[\s\S]*● undo [\s\S]*confirm/)
    terminal.press('Down', 'Enter')
    await terminal.see(/Nothing was changed[\s\S]*Carry this out/)
    terminal.type('y')
    await terminal.see('All taken back.')
    await terminal.see(/All taken back[\s\S]*● end [\s\S]*confirm/)
    // Of what is not there any more nothing is offered: it can be set up once more.
    expect(terminal.joined()).toMatch(/All taken back(?![\s\S]*rotate {2})[\s\S]*○ init /)
    terminal.press('Up', 'Enter')
    await terminal.see(/once more, on a fresh copy[\s\S]*mastodon-r2 init[\s\S]*Yes \/ ○ No/)
    terminal.type('y')
    await terminal.see(/fresh copy[\s\S]*R2 is ready and proven[\s\S]*● check [\s\S]*confirm/)
    terminal.press('Up', 'Enter')
    await terminal.see('all of it is gone now')
    await terminal.exitCode()
    expect(terminal.joined()).toMatch(/For real:[\s│]+npx mastodon-r2 init --mastodon-env \S+/)
    isUntouched()
  })

  test('stopped at the menu, nothing is left behind', patient, async () => {
    const at = server()
    const isUntouched = untouched(at)
    const terminal = begin(at, 100)
    await agreed(terminal, 'init', 'y')
    await terminal.see(offered('check'))
    terminal.press('C-c')
    expect(await terminal.exitCode()).toBe(130)
    isUntouched()
  })
})

test('without the emulator the line to type is about the same command', () => {
  const at = server()
  const bare = mkdtempSync(join(folder, 'bare-'))
  for (const name of ['dist', 'templates', 'package.json']) {
    cpSync(join(cli, '../..', name), join(bare, name), { recursive: true })
  }
  const rehearse = (...args: string[]) => {
    const options = { cwd: at.dir, env: at.env, encoding: 'utf8', timeout: 30_000 } as const
    return spawnSync(process.execPath, [join(bare, 'dist/cli.js'), ...args], options)
  }
  const { status, stdout } = rehearse('undo', '--sandbox', '--dry-run')
  expect(status).toBe(1)
  expect(stdout).toMatch(/miniflare@[\d.]+ mastodon-r2 undo --sandbox --dry-run$/m)
  // That a check could not be made is no fault of the setup.
  expect(rehearse('check', '--sandbox').status).toBe(2)
})
