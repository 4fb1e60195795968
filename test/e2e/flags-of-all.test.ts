import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type Report, reportSchema } from '../../src/plan/report-schema.ts'
import { runHere } from './in-process.ts'
import { ENV, type Machine } from './machine.ts'
import { openMigratingServer } from './migrating-server.ts'
import { type Ended, run } from './program.ts'
import { openTerminal, type Terminal, tmuxMissing } from './terminal.ts'

const server = await openMigratingServer({ media: 20 })
const { stage } = server
const { sandbox } = stage
const source = { 'lib/mastodon/version.rb': '', 'public/packs/manifest.json': '{}' }
const fresh = stage.machine(undefined, source)
const ready = stage.machine(undefined, source)
const { code } = await stage.initHere(ready, [
  '--media-host',
  'ready.example.com',
  '--bucket',
  'ready',
])
if (code !== 0) throw new Error('The setup failed.')
const open: Terminal[] = []
afterEach(() => {
  for (const terminal of open.splice(0)) terminal.close()
})
afterAll(() => server.close())

/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:9'
const OTHER_ACCOUNT = 'f'.repeat(32)

interface Case {
  readonly command: string
  readonly at: Machine
  /** Flags of a look at what is there. */
  readonly own: readonly string[]
  /** What a run says that found all it needs. */
  readonly found: RegExp
  /** Whether Cloudflare's API is asked. */
  readonly asks: boolean
}

const cases: readonly Case[] = [
  {
    command: 'init',
    at: fresh,
    own: ['--media-host', 'new.example.com', '--bucket', 'new-media'],
    found: /create the bucket new-media/,
    asks: true,
  },
  {
    command: 'check',
    at: ready,
    own: ['--quick'],
    found: /name ready\.example\.com in img-src/,
    asks: true,
  },
  { command: 'usage', at: ready, own: [], found: /"bucket":"ready"|so far this month/, asks: true },
  {
    command: 'purge',
    at: ready,
    own: ['https://ready.example.com/site_uploads/a.png'],
    found: /purge https:\/\/ready\.example\.com\/site_uploads\/a\.png/,
    asks: true,
  },
  {
    command: 'migrate',
    at: server.at,
    own: ['--stage', 'compare'],
    found: /Of the files at the source: \d+ missing/,
    asks: false,
  },
  {
    command: 'leave',
    at: ready,
    own: ['--media-dir', join(server.at.dir, 'public/system')],
    found: /0 files \(0 bytes\) would come/,
    asks: false,
  },
  {
    command: 'redirects',
    at: ready,
    own: ['--assume-restarted'],
    found: /a rule of the zone example\.com/,
    asks: true,
  },
  { command: 'rotate', at: ready, own: [], found: /"mastodon-r2 ready ready\./, asks: true },
  { command: 'undo', at: ready, own: [], found: /remove the key/, asks: true },
]

/** What a person has who has exported nothing about Cloudflare. */
function bare(at: Machine) {
  const { HOME, TMPDIR, NODE_EXTRA_CA_CERTS } = stage.environment(at)
  return { HOME, TMPDIR, NODE_EXTRA_CA_CERTS, ...server.env }
}

/** `usage` asks nothing of the public web. */
function world(command: string): string[] {
  const routes = sandbox.connectTo.flatMap((one) => ['--connect-to', one])
  return ['--s3-endpoint-url', sandbox.s3Url(), ...(command === 'usage' ? [] : routes)]
}

/** These only look. */
const looks = (command: string) => command === 'check' || command === 'usage'
const mode = (command: string) => (looks(command) ? [] : ['--dry-run'])

/** An empty folder, and a file with the token. */
const folder = join(fresh.tmp, 'elsewhere')
const token = join(fresh.tmp, 'token')
mkdirSync(folder)
writeFileSync(token, sandbox.bootstrapToken.reveal(), { mode: 0o600 })

function reportOf({ stdout, stderr }: Ended): Report {
  expect(stdout, stderr).toMatch(/^\{/)
  return reportSchema.parse(JSON.parse(stdout))
}

describe.concurrent('each command', () => {
  test.each(cases)('$command: told by flags alone, it finds all', async (one) => {
    const { command, at, own, found, asks } = one
    const ofCloudflare = ['--api-token-file', token, '--cloudflare-api-url', sandbox.apiUrl]
    const args = [
      ...[
        command,
        ...own,
        '--mastodon-dir',
        at.dir,
        ...world(command),
        '--json',
        '--verbose',
        '--timings',
      ],
      ...(asks ? ofCloudflare : []),
      ...mode(command),
    ]
    const env = { ...bare(at), CLOUDFLARE_BASE_URL: NOBODY }
    const ended = await run(args, { cwd: folder, env })
    const report = reportOf(ended)
    expect(report).toMatchObject({ command, dryRun: !looks(command) })
    expect(JSON.stringify(report).replaceAll('\\"', '"')).toMatch(found)
    // --verbose: the requests, each on a line.
    expect(ended.stderr).toMatch(/\b(GET|HEAD) \/\S* \d{3} \d+ ms/)
    expect(ended.stderr).toMatch(/^Timings: [1-9]\d* requests?; [1-9]\d* round trips? /m)
    // Who makes no public check says it again in the line to type.
    if (!looks(command) && command !== 'redirects') {
      expect(report.next.join('\n')).toContain(`--connect-to ${sandbox.connectTo[0]}`)
    }
  })

  test.each(cases)('$command: told by answers, and little is said', async (one) => {
    const { command, at, own, found } = one
    const answers = join(folder, `answers-${command}.json`)
    const text = JSON.stringify({
      s3EndpointUrl: sandbox.s3Url(),
      connectTo: sandbox.connectTo,
      cloudflareApiUrl: sandbox.apiUrl,
      apiToken: sandbox.bootstrapToken.reveal(),
    })
    writeFileSync(answers, text, { mode: 0o600 })
    const media =
      command === 'migrate' || command === 'init'
        ? ['--media-dir', join(server.at.dir, 'public/system')]
        : []
    const existing = command === 'init' ? ['--existing-media', 'prepare'] : []
    const place = ['--answers', answers, '--mastodon-env', at.path(ENV), ...media, ...existing]
    const line = [command, ...own, ...place, ...mode(command)]
    const loud = await runHere(line, { cwd: folder, env: bare(at) })
    const quiet = await runHere([...line, '--quiet'], { cwd: folder, env: bare(at) })
    const said = (loud.stdout + loud.stderr).replace(/\s+/g, ' ')
    expect(said).toMatch(found)
    expect(loud.stdout).toContain(`mastodon-r2 ${command}`)
    expect(quiet.stdout).not.toContain(`mastodon-r2 ${command}\n`)
    expect(quiet.stdout.length).toBeLessThan(loud.stdout.length)
    expect(quiet.code).toBe(loud.code)
  })

  test.each(cases.filter(({ command }) => !['migrate', 'redirects', 'leave'].includes(command)))(
    '$command: an account that the token does not see is refused',
    async ({ command, at, own }) => {
      const line = [command, ...own, ...mode(command), ...world(command), '--json']
      const env = stage.environment(at)
      const ended = await runHere([...line, '--account-id', OTHER_ACCOUNT], { cwd: at.dir, env })
      expect(JSON.stringify(reportOf(ended))).toContain(`does not see the account ${OTHER_ACCOUNT}`)
    },
  )
})

// One after the other: two of them change the same env file.
test.each(
  cases.filter(({ command }) => !looks(command) && !['redirects', 'leave'].includes(command)),
)('$command: without --yes nobody has agreed', async ({ command, at, own }) => {
  const stages = command === 'migrate' ? ['--stage', 'cleanup', '--clean-media', '7'] : own
  const before = at.files()
  const ended = await stage.initHere(at, [command, ...stages, '--json'], { env: server.env })
  expect(reportOf(ended).problem).toMatchObject({ code: 'not-agreed' })
  expect(ended.code).toBe(2)
  expect(at.files()).toEqual(before)
})

describe.skipIf(tmuxMissing)(`in a terminal ${tmuxMissing ?? ''}`, () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour is what is looked for
  const colour = /\u001B\[(?:3[1-6]|9[0-7])m/

  async function painted({ command, at, own }: Case, more: readonly string[]): Promise<string> {
    const edge = command === 'init' ? ['--edge', 'none'] : []
    const terminal = openTerminal(
      [command, ...own, ...edge, ...mode(command), ...world(command), ...more],
      {
        columns: 100,
        cwd: at.dir,
        folder: at.home,
        env: { ...stage.environment(at), ...server.env },
      },
    )
    open.push(terminal)
    await terminal.exitCode()
    return terminal.painted()
  }

  test.each(cases)('$command: --no-color', async (one) => {
    expect(await painted(one, [])).toMatch(colour)
    expect(await painted(one, ['--no-color'])).not.toMatch(colour)
  })
})
