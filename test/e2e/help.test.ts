import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { PROGRAM, run } from './program.ts'

const SECRET = `cfut_${'Ab3'.repeat(14)}`
const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-help-'))
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
const { version } = JSON.parse(manifest) as { version: string }
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const started = (args: readonly string[]) => run(args, { cwd: folder, env: { HOME: folder } })

describe('the version', () => {
  test.each([
    [['--version']],
    [['-V']],
    [['-v']],
    [['version']],
    [['init', '--version']],
    [['check', '-V']],
    [['version', '--version']],
  ])('%j', async (args) => {
    expect(await started(args)).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('-v behind a command says more, as --verbose does', async () => {
    const { code, stdout } = await started(['check', '-v', '--quiet'])
    expect({ code, stdout }).toMatchObject({
      code: 2,
      stdout: /--verbose.*--quiet|--quiet.*--verbose/,
    })
  })
})

describe('another word for a command', () => {
  test.each(['doctor', 'status'])('%s is check', async (word) => {
    const [theirs, ours] = await Promise.all([
      started([word, '--quick']),
      started(['check', '--quick']),
    ])
    expect(theirs).toEqual(ours)
    expect((await started([word, '--help'])).stdout).toContain('Usage: mastodon-r2 check')
  })

  test.each([
    ['setup', 'init'],
    ['uninstall', 'undo'],
    ['sync', 'migrate'],
    ['chekc', 'check'],
  ])('%s is none, and %s may be meant', async (word, command) => {
    const { code, stderr } = await started([word])
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: `There is no command ${word}. Did you mean ${command}?\nSee: ${PROGRAM} help\n`,
    })
  })
})

describe('what may be a secret is not repeated', () => {
  test.each([
    [[SECRET]],
    [[`--${SECRET}`]],
    [['help', SECRET]],
    [['init', `--${SECRET}`]],
    [['init', `--token=${SECRET}`]],
    [['init', '--token', SECRET]],
    [['init', '--yes', SECRET]],
    [['init', '--bucket', SECRET]],
    [['init', '--allow-ip', SECRET]],
    [['init', '--token-kind', SECRET]],
    [['redirects', '--old-address', SECRET]],
  ])('%j', async (args) => {
    const { code, stdout, stderr } = await started(args)
    expect(code).toBe(2)
    expect(stdout + stderr).not.toContain(SECRET.slice(5, 40))
  })
})

test.each([['-q'], ['-vq'], ['--quiet']])(
  'check %s has no title, wherever it is read',
  async (flag) => {
    const { code, stdout } = await started(['check', flag])
    expect(code).toBe(2)
    expect(stdout).not.toMatch(/^mastodon-r2 check/)
  },
)
