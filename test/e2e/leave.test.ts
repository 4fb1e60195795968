import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'

const isRoot = process.getuid?.() === 0
const OWNER = 4711
const server = rcloneMissing ? undefined : await openMigratingServer({ media: 160 })
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}
const root = () => join(the().at.dir, 'public/system')

interface Seen {
  readonly mode: string
  readonly uid: number
  readonly bytes: string
}

/** Everything below the folder, links not followed. */
function seen(): Map<string, Seen> {
  const files = readdirSync(root(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    files.map((path) => {
      const { mode, uid } = statSync(path)
      const bytes = readFileSync(path, 'latin1')
      return [path.slice(root().length + 1), { mode: (mode & 0o777).toString(8), uid, bytes }]
    }),
  )
}

/** The server on R2, its disk as it was before, owned by Mastodon's user. */
let before: Map<string, Seen>
/** Where its copy lies. */
let kept: string
beforeAll(async () => {
  if (!server) return
  for (const args of [
    ['--stage', 'copy'],
    ['--stage', 'cutover'],
  ]) {
    const ended = await the().migrateHere([...args, '--with-suspended', '--with-private', '--yes'])
    expect(ended.code, ended.stdout + ended.stderr).toBe(0)
  }
  if (isRoot) execFileSync('chown', ['-hR', `${OWNER}:${OWNER}`, root(), `${root()}-disk`])
  // Mastodon's user gets to its own folders, as on a server.
  for (let dir = dirname(root()); dir !== tmpdir(); dir = dirname(dir)) chmodSync(dir, 0o755)
  before = seen()
  kept = join(the().at.home, 'kept')
  mkdirSync(kept)
  for (const path of disk()) execFileSync('cp', ['-a', path, kept])
}, 120_000)

/** What belongs to it: media, the folder that a link in it leads to, and who tells of suspended users. */
const disk = () => [root(), `${root()}-disk`, join(the().at.dir, 'bin/rails')]

/** All of that as it was, whatever a test left. */
function restore(): void {
  for (const path of disk()) {
    rmSync(path, { recursive: true })
    execFileSync('cp', ['-a', join(kept, basename(path)), path])
  }
}

const leave = (args: readonly string[]) =>
  the().stage.initHere(the().at, ['leave', ...args], { env: the().env })

/** The folder is there, and what was in it is in the bucket alone. */
function lose(): void {
  for (const name of readdirSync(root())) rmSync(join(root(), name), { recursive: true })
}

describe.skipIf(rcloneMissing)(`the way back to the disk ${rcloneMissing ?? ''}`, () => {
  beforeEach(restore)

  test('a survey changes nothing, and tells what would come', async () => {
    const { code, stdout } = await leave([])
    expect(code, stdout).toBe(0)
    expect(stdout).toContain('0 files (0 bytes) would come')
    expect(seen()).toEqual(before)
  })

  test('all of it comes back as it was: bytes, owner, and the modes of hidden media', async () => {
    lose()
    const { at, env, stage } = the()
    const words = ['leave', '--stage', 'copy', '--yes', '--json']
    const copied = await stage.init(at, words, { env })
    expect(copied.code, copied.stdout + copied.stderr).toBe(0)
    const now = seen()
    for (const [key, was] of before) {
      // Of suspended users Mastodon hides attachments alone.
      const mode = /^(cache\/)?media_attachments\//.test(key) ? was.mode : '644'
      expect([key, now.get(key)]).toEqual([key, { ...was, mode }])
    }
    expect([...now.values()].some(({ mode }) => mode === '600')).toBe(true)
    expect(readdirSync(root()).filter((name) => name.startsWith('.mastodon'))).toEqual([])
    const again = await leave(['--stage', 'copy', '--yes', '--json'])
    expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, steps: [{ status: 'ready' }] })
    const compared = await leave(['--stage', 'compare', '--checksum'])
    expect(compared.code, compared.stdout).toBe(0)
  })

  test('what is missing, or is something else, is told; what is there is never replaced', async () => {
    const [gone, other] = [...before.keys()].filter((key) => key.startsWith('accounts/'))
    const [lost, changed] = [join(root(), gone ?? ''), join(root(), other ?? '')]
    rmSync(lost)
    const own = readFileSync(changed)
    writeFileSync(changed, 'mine')
    const compared = await leave(['--stage', 'compare'])
    expect(compared.code).toBe(1)
    expect(compared.stdout).toContain('1 not there, 1 not the same')
    const copied = await leave(['--stage', 'copy', '--yes'])
    expect(copied.code, copied.stdout).toBe(0)
    expect(copied.stdout).toContain('is not what the bucket has under that name')
    expect(readFileSync(changed, 'utf8')).toBe('mine')
    writeFileSync(changed, own)
    expect((await leave(['--stage', 'compare'])).code).toBe(0)
  })

  test.skipIf(!isRoot)('no link of the owner leads a file elsewhere', async () => {
    const folder = join(root(), 'accounts/avatars')
    const aside = join(the().at.home, 'elsewhere')
    mkdirSync(aside)
    renameSync(folder, `${aside}/was`)
    symlinkSync(aside, folder)
    lchownSync(folder, OWNER, OWNER)
    const { code, stdout } = await leave(['--stage', 'copy', '--yes'])
    expect(code, stdout).toBe(1)
    expect(stdout).toMatch(/could not be fetched.*links are not followed/s)
    expect(readdirSync(aside)).toEqual(['was'])
  })

  test('without an answer about suspended users nothing is fetched, unless it is said so', async () => {
    const rails = join(the().at.dir, 'bin/rails')
    const [key = ''] = [...seen()].find(([, { mode }]) => mode === '600') ?? []
    rmSync(join(root(), key))
    writeFileSync(rails, '#!/bin/sh\necho "PG::ConnectionBad" >&2\nexit 1\n')
    const refused = await leave(['--stage', 'copy', '--yes', '--json'])
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.stdout).problem).toMatchObject({
      code: 'suspended-unknown',
      why: expect.stringContaining('PG::ConnectionBad'),
      next: expect.stringMatching(/ --stage copy\n.* --stage copy --suspended-open$/s),
    })
    const open = await leave(['--stage', 'copy', '--yes', '--suspended-open'])
    expect(open.code, open.stdout).toBe(0)
    expect(statSync(join(root(), key)).mode & 0o777).toBe(0o644)
  })

  test('killed in the middle, the next run goes on, and all is whole', async () => {
    lose()
    const { at, env, stage } = the()
    const running = stage.start(at, ['leave', '--stage', 'copy', '--yes'], { env })
    const isBegun = () => readdirSync(root()).length > 0
    while (!isBegun() && running.child.exitCode === null) await new Promise(setImmediate)
    running.child.kill('SIGKILL')
    await running.ended
    const { code, stdout } = await leave(['--stage', 'copy', '--yes'])
    expect(code, stdout).toBe(0)
    expect((await leave(['--stage', 'compare', '--checksum'])).code).toBe(0)
    expect(readdirSync(root()).filter((name) => name.startsWith('.mastodon'))).toEqual([])
  })

  test('without --yes nobody has agreed', async () => {
    const [key = ''] = before.keys()
    rmSync(join(root(), key), { force: true })
    const { code, stdout } = await leave(['--stage', 'copy', '--json'])
    expect({ code, problem: JSON.parse(stdout).problem.code }).toEqual({
      code: 2,
      problem: 'not-agreed',
    })
    expect(seen().has(key)).toBe(false)
  })

  test('--media-dir, --transfers and --log-file: fetched there, by so many, and noted there', async () => {
    const { at, env, stage } = the()
    const aside = join(at.home, 'aside')
    mkdirSync(aside)
    if (isRoot) chownSync(aside, OWNER, OWNER)
    const log = join(at.home, 'leave.log')
    const flags = ['--media-dir', aside, '--transfers', '3', '--log-file', log]
    const ended = await stage.initHere(at, ['leave', '--stage', 'copy', '--yes', ...flags], { env })
    expect(ended.code, ended.stdout).toBe(0)
    expect(readdirSync(aside, { recursive: true }).length).toBeGreaterThan(before.size)
    expect(readFileSync(log, 'utf8')).toContain(aside)
    expect(readFileSync(log, 'utf8')).toMatch(/"transfers":\{[^}]*3/)
  })

  test('a dry run fetches nothing', async () => {
    const [key = ''] = before.keys()
    rmSync(join(root(), key), { force: true })
    const { code, stdout } = await leave(['--stage', 'copy', '--dry-run'])
    expect(code, stdout).toBe(0)
    expect(seen().has(key)).toBe(false)
    expect(dirname(key)).not.toBe('')
  })
})

describe.skipIf(rcloneMissing)('flags of leave', () => {
  test.each([
    [['--checksum'], 'flag-without-effect'],
    [['--suspended-open'], 'flag-without-effect'],
    [['--stage', 'copy', '--stop'], 'flag-without-effect'],
    [['--stage', 'compare', '--transfers', '4'], 'flag-without-effect'],
    [['--stage', 'cutover', '--stop', '--no-downtime'], 'cutover-contradiction'],
    [['--stage', 'redirects'], 'leave-not-switched'],
    [['--stage', 'copy', '--undo'], 'flag-without-effect'],
    [['--stage', 'copy', '--assume-restarted'], 'flag-without-effect'],
    [['--stage', 'redirects', '--undo', '--assume-restarted'], 'flag-without-effect'],
    [['--to', 's3'], 'new-provider-missing'],
    [['--to-env', 'next.env'], 'flag-without-effect'],
    [['--to', 's3', '--to-env', 'next.env', '--media-dir', '.'], 'flag-without-effect'],
  ])('refused before anything is asked: %s', async (args, problem) => {
    const { at, env, stage } = the()
    const { code, stdout } = await stage.initHere(at, ['leave', '--json', ...args], { env })
    expect({ code, problem: JSON.parse(stdout).problem.code }).toEqual({ code: 2, problem })
  })
  test('a bucket that merely lies prepared is not left', async () => {
    const { at, env, stage } = the()
    const before = at.read()
    at.write('.env.production', before.replace('S3_ENABLED=true', 'S3_ENABLED=false'))
    const backups = readdirSync(at.dir).filter((name) => name.endsWith('.bak'))
    for (const name of backups) renameSync(at.path(name), `${at.path(name)}.away`)
    try {
      for (const name of ['survey', 'copy', 'cutover', 'compare', 'redirects']) {
        const args = ['leave', '--stage', name, '--json', ...(name === 'survey' ? [] : ['--yes'])]
        const { code, stdout } = await stage.initHere(at, args, { env })
        expect([name, code, JSON.parse(stdout).problem.code]).toEqual([name, 2, 'not-on-r2'])
      }
    } finally {
      for (const name of backups) renameSync(`${at.path(name)}.away`, at.path(name))
      at.write('.env.production', before)
    }
  })
})
