import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { shellWord } from '../../src/core/shell-word.ts'
import type { Host } from '../../src/host.ts'
import { printSchedule } from '../../src/rotate/schedule.ts'
import { isRequired } from '../requirement.ts'

const exec = promisify(execFile)
const systemd = isRequired('systemd-analyze') || (await answers('systemd-analyze'))
const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-schedule-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

function answers(program: string): Promise<boolean> {
  return exec(program, ['--version']).then(
    () => true,
    () => false,
  )
}

async function scheduled(
  argv: readonly string[],
  PATH: string,
  started: Pick<Host, 'program' | 'execPath'> = {
    program: ['npx', 'mastodon-r2'],
    execPath: '/bin/node',
  },
  variables: Readonly<Record<string, string>> = {},
  cwd = '/root',
): Promise<string> {
  let text = ''
  const stdout = { write: (part: string) => (text += part) }
  const environment = { PATH, ...variables }
  const host = { cwd, environment, version: '1.2.3', stdout, ...started }
  expect(await printSchedule(host as unknown as Host, argv)).toBe(0)
  return text
}

const unitOf = (text: string) =>
  /^# ---- .*\.service ----\n([\s\S]*?)\n\n?# ----/m.exec(text)?.[1] ?? ''

/** What systemd itself makes of a unit: its own dump of it. */
async function asRead(unit: string): Promise<{ command: string; path: string }> {
  const file = join(folder, 'mastodon-r2-rotate.service')
  await writeFile(file, unit)
  const env = { ...process.env, SYSTEMD_LOG_LEVEL: 'debug' }
  const { stdout } = await exec('systemd-analyze', ['--man=no', 'verify', file], { env })
  const [, command = ''] = /Command Line: (.*)/.exec(stdout) ?? []
  const [, path = ''] = /Environment: PATH=(.*)/.exec(stdout) ?? []
  return { command, path }
}

describe('the unit, as systemd reads it', () => {
  test.runIf(systemd).each([
    ['/home/mastodon/live/.env.production', '/usr/bin:/bin'],
    ['/srv/my env/it is', '/opt/node v22/bin:/usr/bin'],
    ['/srv/50%/a', '/usr/bin:/a%b'],
    ['/srv/back\\slash', '/usr/bin:/C\\tools'],
    ['/srv/"quoted"', '/usr/bin:/"x"'],
    ["/srv/it's", "/usr/bin:/it's"],
    ['/srv/$HOME', '/usr/bin:/$HOME/bin'],
    ['/srv/of C1 \u009B', '/usr/bin:/bin'],
  ])('%s, PATH=%s', async (envFile, path) => {
    const unit = unitOf(await scheduled(['--mastodon-dir', envFile], path))
    const read = await asRead(unit)
    expect(read.path).toBe(path)
    // The dump shows words in shell quotes; a doubled dollar is undone when the command is started.
    const { stdout } = await exec('bash', ['-c', `printf '%s\\n' ${read.command}`])
    expect(stdout.replaceAll('$$', '$').split('\n')).toContain(envFile)
  })
})

test('a timer runs in no folder: the Mastodon of this one is named', async () => {
  const live = join(folder, 'it is')
  await mkdir(live)
  await writeFile(join(live, '.env.production'), 'LOCAL_DOMAIN=social.example.com\n')
  const named = `--mastodon-dir '${live}' --restart run`
  expect(await scheduled([], '/bin', undefined, {}, live)).toContain(named)
  const other = await scheduled(['--mastodon-env', '/srv/env'], '/bin', undefined, {}, live)
  expect(other).not.toContain('--mastodon-dir')
  expect(await scheduled([], '/bin')).not.toContain('--mastodon-dir')
})

test('a timer gets none of the variables: what they tell becomes flags, and a flag wins', async () => {
  const text = await scheduled(['--s3-endpoint-url', 'http://flag.example'], '/bin', undefined, {
    MASTODON_R2_ENV_FILE: 'live/.env.production',
    MASTODON_R2_S3_ENDPOINT_URL: 'http://variable.example',
    MASTODON_R2_CONNECT_TO: '::127.0.0.1:1,::127.0.0.1:2',
    CLOUDFLARE_BASE_URL: 'http://cloudflare.example',
    CLOUDFLARE_API_TOKEN: 'a-token-of-the-shell',
  })
  for (const words of [
    '--s3-endpoint-url http://flag.example',
    '--mastodon-env /root/live/.env.production',
    '--connect-to ::127.0.0.1:1 --connect-to ::127.0.0.1:2',
    '--cloudflare-api-url http://cloudflare.example',
  ])
    expect(text).toContain(words)
  expect(text).not.toMatch(/variable\.example|of-the-shell/)
})

describe('of the single file its own path is started, wherever it was typed', () => {
  test.runIf(systemd).each(['/opt/mastodon-r2', '/srv/my 50%/mastodon-r2-linux-x64'])(
    '%s',
    async (execPath) => {
      const text = await scheduled([], '/bin', { program: ['./mastodon-r2'], execPath })
      const { command } = await asRead(unitOf(text))
      const { stdout } = await exec('bash', ['-c', `printf '%s\\n' ${command}`])
      expect(stdout.split('\n').slice(0, 3)).toEqual(['/usr/bin/env', execPath, 'rotate'])
      expect(text).not.toContain('npx')
      const cron = text.trimEnd().split('\n').at(-1)
      expect(cron).toContain(`* ${shellWord(execPath).replace('%', '\\%')} rotate `)
    },
  )
})

describe('the lines for cron', () => {
  test('know where node is, and speak up when something is left to do', async () => {
    const text = await scheduled([], '/root/.volta/bin:/usr/bin:/bin')
    const [path, line = ''] = text.trimEnd().split('\n').slice(-2)
    expect(path).toBe('#      PATH=/root/.volta/bin:/usr/bin:/bin')
    expect(line).toMatch(
      /^# {6}0 4 1 1,4,7,10 \* npx -y mastodon-r2@1\.2\.3 rotate .* --yes --quiet \|\| echo /,
    )
  })

  test('a percent sign, which ends a command there, is escaped', async () => {
    const text = await scheduled(['--mastodon-dir', '/srv/50%'], '/bin')
    expect(text.trimEnd().split('\n').at(-1)).toContain('--mastodon-dir /srv/50\\%')
  })
})

test('what has a line end stays on its line, in the unit, the comments and the crontab', async () => {
  const text = await scheduled(['--mastodon-dir', '/srv/a\nExecStart=/b\u001B'], '/bin\n/x')
  expect(text.split('\n').filter((line) => /^ExecStart=/.test(line))).toHaveLength(1)
  expect(text).not.toContain('\u001B')
  expect(text).toContain('PATH=/usr/local/bin:/usr/bin:/bin')
})

test.each([
  [['--allow-ip', '1.2.3.4\nb'], '--allow-ip'],
  [['--grace', 'soon'], '--grace'],
  [['--dry-run'], '--dry-run with --schedule'],
])('%j is refused, as rotate would refuse it', async (argv, flag) => {
  let told = ''
  const stderr = { write: (part: string) => (told += part) }
  const stdout = { write: () => expect.unreachable() }
  const host = { cwd: '/root', environment: {}, version: '1.2.3', stdout, stderr, userId: 0 }
  expect(await printSchedule(host as unknown as Host, argv)).toBe(2)
  expect(told).toContain(flag)
})
