import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { commandLine } from '../../../src/services/process/port.ts'
import { isNewEnough, parseVersion } from '../../../src/services/rclone/client.ts'
import { type CopyRun, copyCommand, installLine } from '../../../src/services/rclone/commands.ts'

const key = { accessKeyId: 'id', secretAccessKey: new Secret('hush') }
const to = {
  kind: 'bucket',
  endpoint: 'https://account.r2.cloudflarestorage.com',
  bucket: 'media',
  region: 'auto',
  key,
  provider: 'Cloudflare',
} as const
const run: CopyRun = {
  from: { kind: 'folder', path: '/home/mastodon/live/public/system' },
  to,
  transfers: 64,
  contentType: undefined,
}
const old = {
  ...to,
  endpoint: 'https://s3.example.com',
  bucket: 'old',
  provider: 'Other',
  virtualHost: true,
}

const back: CopyRun = { ...run, from: old, to: { kind: 'folder', path: '/srv/media' } }

describe('copyCommand', () => {
  it.each<[string, CopyRun, string[]]>([
    ['a folder', run, ['copy', '/home/mastodon/live/public/system', 'R2:media']],
    ['a bucket', { ...run, from: old }, ['copy', 'OLD:old', 'R2:media']],
    ['back to a folder', back, ['copy', 'OLD:old', '/srv/media']],
    ['no times of objects', back, ['--use-server-modtime', '--local-no-set-modtime']],
    ['a type', { ...run, contentType: 'text/csv' }, ['--header-upload', 'Content-Type: text/csv']],
    ['a limit', { ...run, bwlimit: '8M' }, ['--bwlimit', '8M']],
    ['so many requests a second', { ...run, perSecond: 290 }, ['--tpslimit', '290']],
    ['each once', { ...run, isBrief: true }, ['--low-level-retries', '1']],
    [
      'large files, a few',
      { ...run, transfers: 4, isLarge: true },
      ['--s3-chunk-size', '8Mi', '--s3-upload-concurrency', '3'],
    ],
    [
      'large files, as many as were asked for',
      { ...run, transfers: 64, isLarge: true },
      ['--s3-chunk-size', '5Mi', '--s3-upload-concurrency', '1'],
    ],
    ['as many as told', { ...run, transfers: 7 }, ['--transfers', '7', '--checkers', '7']],
    [
      'never more checkers than that',
      { ...run, transfers: 256 },
      ['--transfers', '256', '--checkers', '64'],
    ],
    ['no look at the bucket', run, ['--files-from-raw', '-', '--no-check-dest', '--no-traverse']],
    [
      'what Mastodon stores with each',
      run,
      ['--header-upload', 'Cache-Control: public, max-age=315576000, immutable'],
    ],
  ])('%s', (_, wish, part) => {
    const { args } = copyCommand(wish)
    const from = args.findIndex((_, at) => part.every((word, index) => args[at + index] === word))
    expect(from).toBeGreaterThanOrEqual(0)
  })

  it('keeps the keys out of the arguments, and says no more than -v', () => {
    const { args, env } = copyCommand({ ...run, from: old })
    expect(args.join(' ')).not.toMatch(/hush|-vv|DEBUG/)
    expect(env).toMatchObject({
      RCLONE_CONFIG: '/dev/null',
      RCLONE_CONFIG_R2_SECRET_ACCESS_KEY: key.secretAccessKey,
      RCLONE_CONFIG_R2_FORCE_PATH_STYLE: 'true',
      RCLONE_CONFIG_OLD_SECRET_ACCESS_KEY: key.secretAccessKey,
      RCLONE_CONFIG_OLD_FORCE_PATH_STYLE: 'false',
    })
    expect(commandLine(copyCommand(run))).not.toContain('hush')
  })

  it('collects its memory seldom for whole files, and often for parts, which are large', () => {
    expect(copyCommand(run).usual).toEqual({ GOGC: '400', GOMEMLIMIT: '180MiB' })
    expect(copyCommand({ ...run, isLarge: true }).usual).toEqual({ GOGC: '25' })
  })

  it('has flags that the rclone of this machine knows', () => {
    const known = execFileSync('rclone', ['help', 'flags'], { timeout: 20_000, encoding: 'utf8' })
    const flags = copyCommand({ ...run, bwlimit: '8M' }).args.filter((word) => /^--\w/.test(word))
    const unknown = flags.filter((flag) => !known.includes(` ${flag.replace(/=.*/, '')} `))
    expect(unknown).toEqual([])
  })
})

describe('the version', () => {
  it.each<[string, string | undefined, boolean]>([
    ['rclone v1.60.1-DEV\n- os/version: debian 12', '1.60.1', true],
    ['rclone v1.68.2\n', '1.68.2', true],
    ['rclone v1.59.0', '1.59.0', true],
    ['rclone v1.58.1', '1.58.1', false],
    ['rclone v2.0', '2.0', true],
    ['rclone v1.70.0-beta.8500.abc', '1.70.0', true],
    ['hello', undefined, false],
  ])('%j', (output, version, enough) => {
    expect(parseVersion(output)).toBe(version)
    expect(version !== undefined && isNewEnough(version)).toBe(enough)
  })
})

describe('installLine', () => {
  it.each([
    ['/usr/bin/apt-get', 'sudo apt-get install -y rclone'],
    ['/usr/bin/dnf', 'sudo dnf install -y rclone'],
    ['/usr/bin/none', 'see https://rclone.org/install/'],
  ])('%s', async (present, line) => {
    expect(String(await installLine(async (path) => path === present))).toBe(line)
  })
})
