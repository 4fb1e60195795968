import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { HOST, openStage, type Stage } from './stage.ts'
import { openTerminal, type Terminal, tmuxMissing } from './terminal.ts'

describe.skipIf(tmuxMissing)(`init on a server that is set up ${tmuxMissing ?? ''}`, async () => {
  const stage: Stage = await openStage({ emulator: 'eager', domainMs: 0, keyMs: 0 })
  const source = { 'lib/mastodon/version.rb': '', 'public/packs/manifest.json': '{}' }
  const at = stage.machine(undefined, source)
  const { code } = await stage.initHere(at)
  if (code !== 0) throw new Error('The setup failed.')
  const open: Terminal[] = []
  afterEach(() => {
    for (const terminal of open.splice(0)) terminal.close()
  })
  afterAll(() => stage.close())

  function init(...args: string[]) {
    const route = stage.sandbox.connectTo.flatMap((one) => ['--connect-to', one])
    const world = ['--s3-endpoint-url', stage.sandbox.s3Url(), ...route]
    const terminal = openTerminal(['init', ...args, ...world], {
      columns: 100,
      cwd: at.dir,
      folder: at.home,
      env: stage.environment(at),
    })
    open.push(terminal)
    return terminal
  }

  const question = 'This server is set up on R2 already'

  test('offers four ways, and leaves quietly', async () => {
    const terminal = init()
    const menu = await terminal.see(question)
    for (const way of ['Check that', 'Rotate the', 'Change the media', 'Set up again']) {
      expect(menu).toContain(way)
    }
    stage.forget()
    terminal.press('Escape')
    expect(await terminal.exitCode()).toBe(130)
    expect(stage.writes()).toEqual([])
  })

  test('check', async () => {
    const terminal = init()
    await terminal.see(question)
    terminal.press('Enter')
    await terminal.see('mastodon-r2 check')
    await terminal.exitCode()
  })

  test('set up again', async () => {
    const terminal = init()
    await terminal.see(question)
    terminal.press('Up', 'Enter')
    await terminal.see('All is set up already; nothing was changed.')
    expect(await terminal.exitCode()).toBe(0)
  })

  test('change the media host', async () => {
    const terminal = init()
    await terminal.see(question)
    terminal.press('Down', 'Down', 'Enter')
    await terminal.see('Which hostname should serve the media from now on?')
    terminal.type('media.example.com')
    terminal.press('Enter')
    await terminal.see('serve the bucket at https://media.example.com')
    await terminal.see('Carry this out?')
    terminal.press('Escape')
    expect(await terminal.exitCode()).toBe(130)
    expect(at.read()).toContain(`S3_ALIAS_HOST=${HOST}`)
  })

  test('rotate, with the restart left to the person', async () => {
    const terminal = init()
    await terminal.see(question)
    terminal.press('Down', 'Enter')
    await terminal.see('Who does that?')
    terminal.press('Down', 'Enter')
    await terminal.see('Carry this out?')
    terminal.press('Enter')
    await terminal.see('The old key stays active until Mastodon uses the new one.')
    expect(await terminal.exitCode()).toBe(3)
    expect(terminal.screen()).toContain("systemctl restart 'mastodon-sidekiq*' && ")
  })

  test('a flag that only one way takes says it already', async () => {
    const terminal = init('--dry-run')
    expect(await terminal.exitCode()).toBe(0)
    expect(terminal.screen()).not.toContain(question)
  })
})
