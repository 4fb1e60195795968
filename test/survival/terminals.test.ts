import { existsSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Machine } from '../e2e/machine.ts'
import { keysOf, openStage, until } from '../e2e/stage.ts'
import { openTerminal, type Terminal, tmuxMissing } from '../e2e/terminal.ts'

describe.skipIf(tmuxMissing)(`odd terminals ${tmuxMissing ?? ''}`, async () => {
  const stage = await openStage({ emulator: 'eager', domainMs: 200, keyMs: 200 })
  const { world } = stage.sandbox
  const open: Terminal[] = []
  afterEach(() => {
    Object.assign(world.delays, { domainMs: 200, requestMs: 0 })
    for (const terminal of open.splice(0)) terminal.close()
  })
  afterAll(() => stage.close())

  /** `init` on a host and a bucket of its own, asking nothing but the yes. */
  function init(
    name: string,
    env: Record<string, string> = {},
    args: readonly string[] = [],
    redirection = '',
  ) {
    const at = stage.machine()
    const route = stage.sandbox.connectTo.flatMap((one) => ['--connect-to', one])
    const place = ['--media-host', `${name}.example.com`, '--bucket', `${name}-media`]
    const world = ['--edge', 'none', '--s3-endpoint-url', stage.sandbox.s3Url(), ...route]
    const terminal = openTerminal(['init', ...place, ...args, ...world], {
      columns: 80,
      cwd: at.dir,
      folder: at.home,
      env: { ...stage.environment(at), ...env },
      redirection,
    })
    open.push(terminal)
    return { at, terminal }
  }

  const LOCK = '.env.production.mastodon-r2.lock'
  const pidOf = (at: Machine) => Number(JSON.parse(readFileSync(at.path(LOCK), 'utf8')).pid)
  const isGone = (pid: number) => () => !existsSync(`/proc/${pid}`)
  const hangUp = () => {
    for (const terminal of open.splice(0)) terminal.close()
  }

  test.each([
    ['LANG=C', 'plain-c', { LANG: 'C', LC_ALL: 'C' }],
    ['LC_ALL=POSIX', 'plain-posix', { LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' }],
    ['the console of Linux', 'plain-linux', { TERM: 'linux' }],
  ])('%s: ASCII signs alone', async (_, name, env) => {
    const { terminal } = init(name, env)
    await terminal.see('Carry this out?')
    terminal.type('y')
    expect(await terminal.exitCode()).toBe(0)
    expect(terminal.screen()).toContain('R2 is ready and proven.')
    expect(terminal.screen().match(/\P{ASCII}+/gu) ?? []).toEqual([])
  })

  test.each([
    ['TERM=dumb', 'dumb', { TERM: 'dumb' }, []],
    ['ACCESSIBLE=1, for screen readers', 'read-aloud', { ACCESSIBLE: '1' }, []],
    ['--print', 'printed', {}, ['--print']],
  ])('%s: questions in lines, and no control sequence at all', async (_, name, env, args) => {
    const token = stage.sandbox.bootstrapToken.reveal()
    const { at, terminal } = init(name, { ...env, CLOUDFLARE_API_TOKEN: '' }, args)
    await terminal.see(/What you type is not shown\.\n>/)
    terminal.type(`${token.slice(0, -4)}0000\r`)
    await terminal.see('Cloudflare did not recognise the API token.')
    await terminal.see(/not shown\.\n>[\s\S]*not shown\.\n>/)
    terminal.type(`${token}\r`)
    await terminal.see(/Enter alone is no\.\n>/)
    terminal.type('what?\r')
    await terminal.see('is neither y nor n')
    terminal.type('y\r')
    expect(await terminal.exitCode()).toBe(0)
    const screen = terminal.screen()
    expect(screen).toMatch(/^R2 is ready/m)
    expect(screen.replaceAll(/\s/g, '')).not.toContain(token)
    expect(terminal.painted()).not.toContain('\u001B')
    expect(at.read().includes('S3_BUCKET')).toBe(name !== 'printed')
  })

  test('--print with the block in a file: the questions stay on the terminal', async () => {
    const { at, terminal } = init('to-file', {}, ['--print'], '>block')
    await terminal.see(/Enter alone is no\.\n>/)
    terminal.type('y\r')
    expect(await terminal.exitCode()).toBe(0)
    expect(at.read('block')).toMatch(/^S3_BUCKET=to-file-media$/m)
  })

  test.each([
    ['C-c', 'lines-ctrl-c'],
    ['C-d', 'lines-ctrl-d'],
  ])('%s at a question in lines: nothing was changed', async (key, name) => {
    const { at, terminal } = init(name, { TERM: 'dumb' })
    await terminal.see(/Enter alone is no\.\n>/)
    terminal.press(key)
    expect(await terminal.exitCode()).toBe(130)
    expect(terminal.screen()).toContain('Stopped. Nothing was changed.')
    expect(existsSync(at.path(LOCK))).toBe(false)
  })

  test('a window that is resized again and again while it waits', async () => {
    world.delays.domainMs = 4000
    const { terminal } = init('resized', {}, ['--yes'])
    await terminal.see(/Custom domain: ownership/)
    for (const columns of [40, 12, 120, 30, 80]) terminal.resize(columns)
    expect(await terminal.exitCode()).toBe(0)
    expect(terminal.screen()).toContain('R2 is ready and proven.')
  })

  test('what is typed while it works is neither shown nor a yes; afterwards the keyboard is as before', async () => {
    Object.assign(world.delays, { domainMs: 3000, requestMs: 300 })
    const { terminal } = init('typed-ahead')
    await terminal.see('Looking at what is there')
    terminal.type('y\rimpatient')
    expect(await terminal.see(/Carry this out\?[\s\S]*● No/)).not.toContain('impatient')
    terminal.type('y')
    await terminal.see(/Custom domain: ownership/)
    terminal.type('hurry\r\r\rup')
    expect(await terminal.exitCode()).toBe(0)
    const screen = terminal.screen()
    expect(screen).not.toMatch(/hurry|up$|[◒◐◓◑]/m)
    terminal.type('typed to the shell')
    await terminal.see('typed to the shell')
  })

  test('the terminal goes away at a question: the program ends, and nothing was changed', async () => {
    const { at, terminal } = init('gone-asking')
    await terminal.see('Carry this out?')
    const pid = pidOf(at)
    hangUp()
    await until('the end of the program', isGone(pid))
    expect(existsSync(at.path(LOCK))).toBe(false)
    expect(keysOf(stage.sandbox, 'gone-asking-media')).toEqual([])
  })

  test('the terminal goes away in the middle: what can not be found again is taken back', async () => {
    world.delays.keyMs = 60_000
    const { at, terminal } = init('gone-working', {}, ['--yes'])
    await terminal.see(/Test upload/)
    await until('the key', () => keysOf(stage.sandbox, 'gone-working-media').length === 1)
    const pid = pidOf(at)
    hangUp()
    await until('the end of the program', isGone(pid))
    world.delays.keyMs = 200
    expect(existsSync(at.path(LOCK))).toBe(false)
    expect(keysOf(stage.sandbox, 'gone-working-media')).toEqual([])
    expect(at.read()).toBe('LOCAL_DOMAIN=social.example.com\n')
  })

  test('SIGTERM at a question is an answer', async () => {
    const { at, terminal } = init('stopped')
    await terminal.see('Carry this out?')
    process.kill(pidOf(at), 'SIGTERM')
    expect(await terminal.exitCode()).toBe(130)
    expect(terminal.screen()).toContain('Nothing was changed')
    expect(existsSync(at.path(LOCK))).toBe(false)
  })
})
