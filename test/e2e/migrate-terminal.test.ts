import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { flags } from '../../src/sandbox/sandbox.ts'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { openTerminal, type Terminal, tmuxMissing } from './terminal.ts'

const missing = rcloneMissing ?? tmuxMissing
const server = missing ? undefined : await openMigratingServer({ media: 40 })
const open: Terminal[] = []
afterEach(() => {
  for (const terminal of open.splice(0)) terminal.close()
})
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is nothing to test with.')
  return server
}

function migrate(columns: number, env: Record<string, string> = {}, args?: string[]): Terminal {
  const { stage, at, env: own } = the()
  const terminal = openTerminal(['migrate', ...(args ?? flags(stage.sandbox))], {
    columns,
    cwd: at.dir,
    folder: at.home,
    env: { ...stage.environment(at), ...own, ...env },
  })
  open.push(terminal)
  return terminal
}

/** Lines to be typed are never broken, and no other is wider than the screen. */
function tooWide(screen: string, columns: number): string[] {
  const lines = screen.split('\n').filter((line) => !/npx|https?:|\/live/.test(line))
  return lines.filter((line) => line.length > columns)
}

/** The question itself: a key that is pressed before it would be lost. */
const offered = (stage: string) => new RegExp(`● next +${stage} `)
const stateOf = (stage: string, sign: string) => new RegExp(`${sign} +${stage} `)

describe.skipIf(missing)(`migrate in a terminal ${missing ?? ''}`, () => {
  test('left and entered again, 60 columns wide', async () => {
    await the().anew()
    const terminal = migrate(60)
    await terminal.see('What now?')
    terminal.press('Enter')
    await terminal.see(stateOf('survey', 'done'))
    await terminal.see(offered('announce'))
    terminal.press('Down', 'Down', 'Down', 'Down', 'Down', 'Down', 'Enter')
    await terminal.see('Left; nothing is lost.')
    expect(await terminal.exitCode()).toBe(0)
    expect(tooWide(terminal.screen(), 60)).toEqual([])
    const again = migrate(60, { NO_COLOR: '1' })
    await again.see(stateOf('survey', 'done'))
    await again.see('What now?')
    expect(/\[[0-9;]*3[0-7]m/.test(again.painted())).toBe(false)
    again.press('C-c')
    expect(await again.exitCode()).toBe(130)
  })

  test('from the announcement to the switch, 100 columns wide', async () => {
    const { anew, at, migrateHere, stored } = the()
    await anew()
    const { code, stdout } = await migrateHere(['--stage', 'survey'])
    expect(code, stdout).toBe(0)
    const terminal = migrate(100)
    await terminal.see(offered('announce'))
    terminal.press('Enter')
    await terminal.see('Carry this out?')
    terminal.type('y')
    await terminal.see(offered('copy'))
    terminal.press('Enter')
    await terminal.see('What should be copied?')
    terminal.press('Enter')
    await terminal.see('backups/ and imports/')
    terminal.press('Enter')
    await terminal.see(/Plan: copy[\s\S]*Carry this out\?/)
    terminal.type('y')
    await terminal.see(offered('cutover'))
    terminal.press('Enter')
    await terminal.see('How should Mastodon be switched?')
    terminal.press('Enter')
    await terminal.see(/Plan: cutover[\s\S]*Carry this out\?/)
    terminal.type('y')
    await terminal.see(stateOf('cutover', 'done'))
    expect(at.read()).toContain('S3_ENABLED=true\n')
    terminal.press('C-c')
    expect(await terminal.exitCode()).toBe(130)
    expect(terminal.screen()).toContain('Stopped. What was done before stays done.')
    expect(tooWide(terminal.screen(), 100)).toEqual([])
    // Enter says no to what would publish something.
    expect([...(await stored()).keys()].filter((key) => /^(backups|imports)/.test(key))).toEqual([])
  })

  test('a rehearsal comes back after a no and a failure, and ends with the proof', {
    timeout: 160_000,
  }, async () => {
    const terminal = migrate(80, {}, ['--sandbox'])
    await terminal.see(offered('survey'))
    terminal.press('Down', 'Down', 'Down', 'Down', 'Enter')
    await terminal.see('How should Mastodon be switched?')
    terminal.press('Enter')
    const failed = await terminal.see(/No copy of the media has come to its end[\s\S]*● next/)
    expect(failed).toContain('Next: Copy it first.')
    terminal.press('Down', 'Down', 'Down', 'Enter')
    await terminal.see('What should be copied?')
    terminal.press('Enter')
    await terminal.see('backups/ and imports/')
    terminal.press('Enter')
    await terminal.see('Carry this out?')
    terminal.type('n')
    await terminal.see(/Nothing was changed\.\s[\s\S]*● next +announce/)
    terminal.press('Down', 'Down', 'Enter')
    await terminal.see(/● Everything/)
    terminal.press('Enter')
    await terminal.see(/● No/)
    terminal.press('Enter')
    await terminal.see(/● Yes/)
    terminal.type('y')
    await terminal.see(stateOf('copy', '○ done'))
    terminal.press('Down', 'Down', 'Down', 'Enter')
    await terminal.see(/● With Sidekiq at rest/)
    terminal.press('Enter')
    await terminal.see(/For real, [\s\S]*● Yes/)
    terminal.press('Enter')
    await terminal.see(offered('redirects'))
    terminal.press('Down', 'Enter')
    expect(await terminal.exitCode()).toBe(0)
    const screen = terminal.screen()
    expect(screen).toMatch(/files were uploaded\. Each of them is in the/)
    expect(screen).not.toMatch(/npx mastodon-r2|goes? on from here/)
  })
})
