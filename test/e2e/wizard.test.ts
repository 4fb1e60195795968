import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { ENV, type Machine } from './machine.ts'
import { SUDO } from './program.ts'
import { keysOf, openStage, type Stage } from './stage.ts'
import { settingsOf, storageLines } from './storage-lines.ts'
import { openTerminal, type Terminal, tmuxMissing } from './terminal.ts'

describe.skipIf(tmuxMissing)(`the wizard ${tmuxMissing ?? ''}`, async () => {
  const stage: Stage = await openStage({ emulator: 'eager', domainMs: 300 })
  const open: Terminal[] = []
  afterEach(() => {
    for (const terminal of open.splice(0)) terminal.close()
  })
  afterAll(() => stage.close())

  const token = stage.sandbox.bootstrapToken.reveal()

  /** `init` with nothing given but the addresses of the sandbox. */
  function wizard(
    at: Machine,
    columns: number,
    env: Record<string, string> = {},
    args: string[] = [],
    { asked = false, rows = 50 } = {},
  ) {
    const { CLOUDFLARE_API_TOKEN: _, ...given } = stage.environment(at)
    const route = stage.sandbox.connectTo.flatMap((one) => ['--connect-to', one])
    const world = ['--s3-endpoint-url', stage.sandbox.s3Url(), ...route]
    const edge = asked ? [] : ['--edge', 'none']
    const terminal = openTerminal(['init', ...edge, ...args, ...world], {
      columns,
      rows,
      cwd: at.dir,
      folder: at.home,
      env: { ...given, ...env },
    })
    open.push(terminal)
    return terminal
  }

  async function giveToken(terminal: Terminal, text = token) {
    await terminal.see('Paste the token here')
    terminal.type(text)
    terminal.press('Enter')
  }

  /** Also where the terminal broke a line in the middle of it. */
  function holdsToken(screen: string): boolean {
    return screen.replaceAll(/[\n│ ]/g, '').includes(token)
  }

  test('from the first question to the end, 100 columns wide', async () => {
    const at = stage.machine()
    const terminal = wizard(at, 100, {}, [], { asked: true })
    expect(await terminal.see('Should Cloudflare also protect')).toContain('Yes, as recommended')
    terminal.press('Enter')
    const first = await terminal.see('Paste the token here')
    expect(first).toContain('Workers R2 Storage: Edit')
    expect(first).toContain('Zone WAF: Edit')
    const filledIn = decodeURIComponent(first.replaceAll(/\n│? */g, ''))
    expect(filledIn).toContain('"workers_r2"')
    expect(filledIn).not.toContain('transform_rules')
    expect(first.replaceAll(/\n│? */g, '')).toContain(
      'https://dash.cloudflare.com/?to=/:account/api-tokens',
    )
    await giveToken(terminal)
    const hosts = await terminal.see('another one')
    expect(hosts).toContain('files.example.com')
    expect(hosts).toContain('media.example.com')
    terminal.press('Enter')
    const plan = await terminal.see('Carry this out?')
    expect(plan).toContain('create the bucket social-example-com-media')
    expect(plan).toMatch(/serve the bucket at https:\/\/files\.example\.com \[public\]/)
    expect(plan).toContain('refuse /backups/ and /imports/')
    terminal.type('y')
    expect(await terminal.exitCode()).toBe(0)
    const screen = terminal.screen()
    expect(screen).toContain('R2 is ready and proven.')
    expect(screen).toMatch(new RegExp(`^ +${SUDO}systemctl restart`, 'm'))
    expect(screen.replaceAll(/\s+/g, ' ')).toContain('--edge recommended')
    expect(holdsToken(screen)).toBe(false)
    for (const { secret } of keysOf(stage.sandbox)) expect(screen).not.toContain(secret)
    expect(settingsOf(at.read())).toMatchObject(
      storageLines(stage, { bucket: 'social-example-com-media' }),
    )
  })

  test('wrong answers are put right, 60 columns wide', async () => {
    const at = stage.machine('LOCAL_DOMAIN=other.example.com\n')
    const terminal = wizard(at, 60)
    await terminal.see('Paste the token here')
    terminal.type('nonsense')
    terminal.press('Enter')
    await terminal.see('does not look like an API token')
    terminal.press(...Array<string>('nonsense'.length).fill('BSpace'))
    await giveToken(terminal)
    await terminal.see('another one')
    terminal.press('Up', 'Enter')
    await terminal.see('Hostname for media')
    terminal.type('files.example.net')
    terminal.press('Enter')
    await terminal.see(/is in none of your\s+[│|]?\s*domains/)
    terminal.press(...Array<string>('net'.length).fill('BSpace'))
    terminal.type('com')
    terminal.press('C-a')
    terminal.type('o')
    terminal.press('Enter')
    await terminal.see('Carry this out?')
    terminal.type('y')
    expect(await terminal.exitCode()).toBe(0)
    const screen = terminal.screen()
    expect(holdsToken(screen)).toBe(false)
    expect(at.read()).toContain('S3_ALIAS_HOST=ofiles.example.com\n')
    const lines = screen.split('\n').filter((line) => !/https?:|dist|npx|\/live/.test(line))
    expect(lines.filter((line) => line.length > 60)).toEqual([])
  })

  test('after a wrong token only the reason and the question, drawn in place in 24 lines', async () => {
    const terminal = wizard(stage.machine(), 80, {}, [], { rows: 24 })
    await giveToken(terminal, `${token.slice(0, -4)}0000`)
    const told = await terminal.see(/did not recognise[\s\S]*Paste the token here/)
    expect(told.match(/Open this address/g)).toHaveLength(1)
    expect(told).not.toContain('run this again')
    for (const letter of 'nonsense') terminal.type(letter)
    terminal.press('Enter')
    await terminal.see('What you typed does not look like an API token')
    terminal.press(...Array<string>(8).fill('BSpace'))
    for (const letter of 'nothing') terminal.type(letter)
    terminal.press('Enter')
    const screen = await terminal.see(/▪{7}\s[\s\S]*does not look like/)
    expect(screen.match(/Paste the token here/g)).toHaveLength(2)
    expect(screen.match(/does not look like/g)).toHaveLength(1)
    terminal.press('C-c')
    expect(await terminal.exitCode()).toBe(130)
  })

  test.each([
    { name: 'the token', upTo: 0 },
    { name: 'the host', upTo: 1 },
    { name: 'the plan', upTo: 2 },
  ])('Ctrl-C at the question about $name: nothing is changed', async ({ upTo }) => {
    const at = stage.machine('LOCAL_DOMAIN=third.example.com\n')
    stage.forget()
    const terminal = wizard(at, 80)
    await terminal.see('Paste the token here')
    if (upTo > 0) {
      await giveToken(terminal)
      await terminal.see('another one')
    }
    if (upTo > 1) {
      terminal.press('Down', 'Enter')
      await terminal.see('Carry this out?')
    }
    terminal.press('C-c')
    expect(await terminal.exitCode()).toBe(130)
    expect(terminal.screen()).toContain('Nothing was changed.')
    expect(stage.writes()).toEqual([])
    expect(at.read()).toBe('LOCAL_DOMAIN=third.example.com\n')
  })

  test('"no" to the plan changes nothing', async () => {
    const at = stage.machine('LOCAL_DOMAIN=third.example.com\n')
    stage.forget()
    const terminal = wizard(at, 80, { NO_COLOR: '1' }, ['--media-host', 'no.example.com'])
    await giveToken(terminal)
    await terminal.see('Carry this out?')
    terminal.type('n')
    expect(await terminal.exitCode()).toBe(130)
    expect(stage.writes()).toEqual([])
  })

  test('media on the server is asked about', async () => {
    const at = stage.machine('LOCAL_DOMAIN=fourth.example.com\n', {
      'lib/mastodon/version.rb': '',
      'public/system/a/1.png': 'png',
    })
    const terminal = wizard(at, 100, {}, ['--media-host', 'fourth.example.com', '--bucket', 'four'])
    await giveToken(terminal)
    await terminal.see('hostname of Mastodon itself')
    expect(await terminal.exitCode()).toBe(2)
    const again = wizard(at, 100, {}, ['--media-host', 'f4.example.com', '--bucket', 'four'])
    await giveToken(again)
    await again.see('Prepare everything, switch later')
    again.press('Enter')
    await again.see('Carry this out?')
    again.type('y')
    expect(await again.exitCode()).toBe(0)
    expect(settingsOf(at.read())).toMatchObject({ S3_ENABLED: 'false', S3_BUCKET: 'four' })
    expect(at.files().has(at.path(ENV))).toBe(true)
  })

  test.each([
    { name: 'colours', env: {}, coloured: true },
    { name: 'NO_COLOR: none', env: { NO_COLOR: '1' }, coloured: false },
  ])('$name', async ({ env, coloured }) => {
    const terminal = wizard(stage.machine(), 100, env)
    await terminal.see('Paste the token here')
    const isPainted = /\[[0-9;]*3[0-7]m/.test(terminal.painted())
    expect(isPainted).toBe(coloured)
    terminal.press('C-c')
    expect(await terminal.exitCode()).toBe(130)
  })
})
