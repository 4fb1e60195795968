import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findNode } from './node-release.ts'
import { type Ended, runProgram } from './program.ts'
import { ownNpmCache, packTarball } from './tarball.ts'

const tarball = await packTarball()
const version = /-(\d.*)\.tgz$/.exec(tarball.packed.filename)?.[1]
const releases = [
  { range: 'of this run', path: process.execPath, why: '' },
  ...(await Promise.all(
    ['20.19.0', '22', '24'].map(async (range) => ({ range, ...(await findNode(range)) })),
  )),
]
const tooOld = await findNode('18')
const warning = /\(node:\d+\)|Warning|trace-/
let empty: string
let installed: string

beforeAll(async () => {
  empty = join(tarball.folder, 'empty')
  await mkdir(empty)
  installed = await tarball.install()
})

afterAll(() => tarball.remove())

describe.each(releases)('Node $range $why', ({ path }) => {
  const run = (...args: string[]) => runWith(String(path), installed, args)

  test.skipIf(path === undefined)('--version', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test.skipIf(path === undefined).each([
    [['help'], 'npx mastodon-r2 init --sandbox'],
    [['--help'], 'npx mastodon-r2 init --sandbox'],
    [['init', '--help'], '--media-host HOST'],
    [['help', 'check'], '--media-host HOST'],
    [['help', '--json-schema'], '"$schema"'],
  ])('%j', async (args, words) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(words)
  })

  test.skipIf(path === undefined).each([
    [['chekc'], 'Did you mean check?'],
    [['--versoin'], 'Did you mean --version?'],
    [['init', '--buket', 'media'], '--bucket'],
    [['init', '--media-host'], '--media-host'],
    [['sandbox', '--zoen', 'example.com'], '--zone'],
  ])('refuses %j with exit code 2', async (args, words) => {
    const { code, stdout, stderr } = await run(...args)
    expect(code).toBe(2)
    expect(stdout + stderr).toContain(words)
    expect(stdout + stderr).not.toMatch(warning)
  })

  test.skipIf(path === undefined)('takes an --mastodon-env that does not exist yet', async () => {
    const { code, stdout, stderr } = await run('init', '--mastodon-env', 'new.env')
    expect(code).toBe(2)
    expect(stdout + stderr).toContain('CLOUDFLARE_API_TOKEN')
  })

  test.skipIf(path === undefined)('names what is missing when nobody can be asked', async () => {
    const { code, stdout, stderr } = await run('init', '--mastodon-env', 'new.env')
    expect(code).toBe(2)
    expect(stdout + stderr).toContain('--media-host')
    expect(stdout + stderr).toContain('CLOUDFLARE_API_TOKEN')
    expect(stderr).not.toMatch(warning)
  })
})

describe('a Node that is too old', () => {
  test.skipIf(tooOld.path === undefined)(`is told what to do ${tooOld.why}`, async () => {
    const { code, stdout, stderr } = await runWith(String(tooOld.path), installed, [
      'init',
      '--sandbox',
    ])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^mastodon-r2 needs Node 20\.19 or newer; this is 18\./)
    expect(stderr).toContain('npx -p node@22 -p mastodon-r2 mastodon-r2 init')
  })
})

describe('a rehearsal from the package', () => {
  let advice: Ended
  let npx: Ended
  let withEmulator: string

  beforeAll(async () => {
    advice = await runWith(process.execPath, installed, ['init', '--sandbox', '--yes'])
    const line = /npx -p mastodon-r2 (-p miniflare@\S+) mastodon-r2 init --sandbox/
    const [, emulator = ''] = line.exec(advice.stdout + advice.stderr) ?? []
    const cache = await ownNpmCache(tarball.folder)
    const packages = ['-y', '-p', tarball.file, ...emulator.split(' ')]
    npx = await runProgram('npx', [...packages, 'mastodon-r2', 'init', '--sandbox', '--yes'], {
      cwd: empty,
      env: { npm_config_cache: cache },
    })
    const [made = ''] = await readdir(join(cache, '_npx'))
    withEmulator = join(cache, '_npx', made, 'node_modules/mastodon-r2/dist/cli.js')
  }, 300_000)

  test('without miniflare it says which line adds it', () => {
    expect(advice.code).toBe(1)
    expect(advice.stdout + advice.stderr).toContain('npx -p mastodon-r2 -p miniflare@4.20260730.0')
    expect(advice.stdout + advice.stderr).not.toContain('ended before')
    expect(advice.stderr).not.toMatch(warning)
  })

  test('that line works', () => {
    expect(npx.stdout).toContain('R2 is ready and proven.')
    expect(npx.code).toBe(0)
  })

  describe.each(releases)('on Node $range $why', ({ path }) => {
    test.skipIf(path === undefined)('runs to its end without a warning', async () => {
      const rehearsal = ['init', '--sandbox', '--yes']
      const { code, stdout, stderr } = await runWith(String(path), withEmulator, rehearsal)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('R2 is ready and proven.')
    })
  })
})

/** Starts the program as a shell does, with this Node as the one in PATH. */
function runWith(node: string, program: string, args: readonly string[]): Promise<Ended> {
  const env = { PATH: `${dirname(node)}:${process.env.PATH}` }
  return runProgram(program, args, { cwd: empty, env })
}
