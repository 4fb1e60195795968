import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { LoggedRequest } from '../../src/sandbox/world.ts'
import { keysOf, openStage } from '../e2e/stage.ts'
import { isRequired } from '../requirement.ts'
import { expectConverged } from './converged.ts'
import { BEFORE } from './trial.ts'

const stage = await openStage({ emulator: 'eager', domainMs: 50, keyMs: 50 })
const mounted: string[] = []
afterAll(async () => {
  for (const path of mounted) system('umount', ['-l', path])
  await stage.close()
})

const NOBODY = 65_534
const PAGE = 4096
const isRoot = process.getuid?.() === 0

function system(program: string, args: readonly string[]): void {
  execFileSync(program, args, { timeout: 10_000 })
}

/** A disk of 16 pages with an env file on it, of which `free` are left. */
function disk(free: number, envFile: string) {
  const at = stage.machine()
  const folder = join(at.home, 'disk')
  mkdirSync(folder)
  system('mount', ['-t', 'tmpfs', '-o', `size=${16 * PAGE}`, 'tmpfs', folder])
  mounted.push(folder)
  const path = join(folder, '.env.production')
  writeFileSync(path, envFile, { mode: 0o600 })
  writeFileSync(join(folder, 'filler'), Buffer.alloc((15 - free) * PAGE))
  return { at, folder, path }
}

function whyNoMount(): string | undefined {
  try {
    if (!isRoot) throw new Error('Only root mounts.')
    const { folder } = disk(1, BEFORE)
    return readdirSync(folder).length === 2 ? undefined : '(nothing was mounted)'
  } catch (cause) {
    if (isRequired('mount')) throw new Error('No small disk could be mounted.', { cause })
    return '(no small disk can be mounted here)'
  }
}

const noMount = whyNoMount()
let count = 0

function goalOf(before: string) {
  count += 1
  const [host, bucket] = [`disk${count}.example.com`, `disk-${count}`]
  return { host, bucket, before, args: ['--media-host', host, '--bucket', bucket] }
}

describe.skipIf(noMount)(`a full disk ${noMount ?? ''}`, () => {
  test.each([
    ['nothing fits: nothing was changed', 0, 'lock-not-writable', 2],
    ['the lock fits: nothing was changed', 1, 'env-file-not-writable', 2],
    [
      'the lock and the copy of the old file fit: nothing was changed',
      2,
      'env-file-not-writable',
      2,
    ],
  ])('%s', async (_, free, code, exit) => {
    const { args, ...goal } = goalOf(BEFORE)
    const { at, folder, path } = disk(free, BEFORE)
    const all = [...args, '--mastodon-env', path]
    const broken = await stage.init(at, [...all, '--json'])
    expect(broken.code).toBe(exit)
    const { problem } = JSON.parse(broken.stdout)
    expect(problem).toMatchObject({ code, why: expect.stringContaining('The disk is full.') })
    expect(readFileSync(path, 'utf8')).toBe(BEFORE)
    expect(readdirSync(folder).sort()).toEqual(['.env.production', 'filler'])
    expect(keysOf(stage.sandbox, goal.bucket)).toEqual([])
    rmSync(join(folder, 'filler'))
    const { code: again, stdout } = await stage.initHere(at, all)
    expect(again, stdout).toBe(0)
    expectConverged(stage.sandbox, readFileSync(path, 'utf8'), goal)
  })

  test('a disk that is mounted read-only: said before anything is made', async () => {
    const { args, bucket } = goalOf(BEFORE)
    const { at, folder, path } = disk(8, BEFORE)
    system('mount', ['-o', 'remount,ro', folder])
    const { code, stdout } = await stage.initHere(at, [...args, '--mastodon-env', path, '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout).problem.code).toBe('env-file-not-writable')
    expect(stage.sandbox.world.buckets.map(({ name }) => name)).not.toContain(bucket)
  })
})

/** Does something the moment a key was made for this bucket. */
function onceKeyIsMade(action: () => void): void {
  const log = stage.sandbox.log as LoggedRequest[]
  log.push = (entry) => {
    log[log.length] = entry as LoggedRequest
    const isMint = entry?.method === 'POST' && entry.path.endsWith('/tokens')
    if (isMint) {
      log.push = Array.prototype.push
      action()
    }
    return log.length
  }
}

describe('a folder that changes while init runs', () => {
  test('it vanishes: the key is taken back', async () => {
    const { args, bucket } = goalOf(BEFORE)
    const at = stage.machine()
    const folder = at.path('apart')
    mkdirSync(folder)
    const path = join(folder, '.env.production')
    writeFileSync(path, BEFORE)
    onceKeyIsMade(() => rmSync(folder, { recursive: true }))
    const { code, stdout } = await stage.initHere(at, [...args, '--mastodon-env', path, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout).problem).toMatchObject({
      code: expect.stringMatching(/^env-file-/),
      next: expect.stringMatching(/\S/),
    })
    expect(keysOf(stage.sandbox, bucket)).toEqual([])
  })

  test('somebody else changes the file: theirs stays, the key is taken back', async () => {
    const { args, bucket } = goalOf(BEFORE)
    const at = stage.machine(BEFORE)
    onceKeyIsMade(() => at.write('.env.production', 'LOCAL_DOMAIN=theirs.example.com\n'))
    const { code, stdout } = await stage.initHere(at, [...args, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout).problem.code).toBe('env-file-changed')
    expect(at.read()).toBe('LOCAL_DOMAIN=theirs.example.com\n')
    expect(keysOf(stage.sandbox, bucket)).toEqual([])
  })

  test.skipIf(!isRoot)('it may no longer be written: the key is taken back', async () => {
    const { args, bucket } = goalOf(BEFORE)
    const at = stage.machine(BEFORE)
    for (const path of [at.dir, at.home, at.path('.env.production')])
      chownSync(path, NOBODY, NOBODY)
    // The media host is read before the file is written, and its authority has to be known.
    chmodSync(dirname(stage.sandbox.caFile), 0o755)
    onceKeyIsMade(() => chmodSync(at.dir, 0o555))
    const { code, stdout } = await stage.init(at, [...args, '--json'], { unprivileged: true })
    chmodSync(at.dir, 0o755)
    expect(code).toBe(1)
    expect(JSON.parse(stdout).problem).toMatchObject({
      code: 'env-file-not-writable',
      why: expect.stringContaining('This user may not write'),
    })
    expect(at.read()).toBe(BEFORE)
    expect(keysOf(stage.sandbox, bucket)).toEqual([])
  })
})

describe('files that can not be used: said before anything is made', () => {
  test.each([
    ['a symlink loop', 'env-file-unreadable', (path: string) => symlinkSync(path, path)],
    ['a folder', 'env-file-is-folder', (path: string) => mkdirSync(path)],
    ['no folder', 'env-file-folder-missing', () => undefined],
  ])('%s', async (name, problem, make) => {
    const { args, bucket } = goalOf('')
    const at = stage.machine()
    const path = at.path(name === 'no folder' ? 'missing/.env' : 'odd.env')
    make(path)
    const { code, stdout } = await stage.initHere(at, [...args, '--mastodon-env', path, '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout).problem.code).toBe(problem)
    expect(stage.sandbox.world.buckets.map(({ name }) => name)).not.toContain(bucket)
  })

  test.skipIf(!isRoot).each([
    ['may not be read', 0o600, 0o755, 'env-file-unreadable'],
    ['may not be written', 0o644, 0o755, 'env-file-not-writable'],
    ['lies in a folder that may not be opened', 0o644, 0o700, 'env-file-unreadable'],
  ])('a file that %s', async (_, file, folder, problem) => {
    const { args, bucket } = goalOf('')
    const at = stage.machine()
    const path = at.path('theirs/.env.production')
    mkdirSync(at.path('theirs'))
    writeFileSync(path, BEFORE)
    chmodSync(path, file)
    chmodSync(at.path('theirs'), folder)
    const all = [...args, '--mastodon-env', path, '--json']
    const { code, stdout } = await stage.init(at, all, { unprivileged: true })
    expect(code).toBe(2)
    expect(JSON.parse(stdout).problem.code).toBe(problem)
    expect(stage.sandbox.world.buckets.map(({ name }) => name)).not.toContain(bucket)
  })
})
