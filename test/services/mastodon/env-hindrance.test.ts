import { execFileSync } from 'node:child_process'
import { chmodSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  isLedByOthers,
  refuseFullDisk,
  refuseHindered,
} from '../../../src/services/mastodon/env-hindrance.ts'
import { readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { wayTo } from '../../../src/services/media/owner.ts'
import { problemOf } from '../../fakes/found.ts'
import { scratch, write } from './scratch.ts'

const isRoot = process.getuid?.() === 0
const needsRoot = isRoot ? '' : ' (needs root: runs in CI)'

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: 'pipe' })
}

/** Attributes go before the folder does. */
function attribute(path: string, letter: string): void {
  run('chattr', `+${letter}`, path)
  onTestFinished(() => run('chattr', `-${letter}`, path))
}

function mount(folder: string, ...args: string[]): void {
  run('mount', ...args, folder)
  onTestFinished(() => run('umount', '-l', folder))
}

const file = (folder: string) => join(folder, 'env')

describe.runIf(isRoot)(`seen before anything is made${needsRoot}`, () => {
  test.each<[what: string, lay: (folder: string) => void, words: RegExp, next: RegExp]>([
    [
      'an immutable file',
      (folder) => attribute(file(folder), 'i'),
      /immutable/,
      /chattr -i -a .*env/,
    ],
    ['an append-only file', (folder) => attribute(file(folder), 'a'), /append-only/, /chattr/],
    ['an immutable folder', (folder) => attribute(folder, 'i'), /folder is immutable/, /chattr/],
    ['an append-only folder', (folder) => attribute(folder, 'a'), /folder is immutable/, /chattr/],
    [
      'a file that is mounted alone',
      (folder) => {
        writeFileSync(join(folder, 'other'), 'A=1\n')
        mount(file(folder), '--bind', join(folder, 'other'))
      },
      /mounted as a single file/,
      /on the host/,
    ],
    [
      'a disk that is mounted read-only',
      (folder) => {
        mount(folder, '-t', 'tmpfs', 'tmpfs')
        write(folder, { env: 'A=1\n' })
        run('mount', '-o', 'remount,ro', folder)
      },
      /read-only/,
      /findmnt/,
    ],
    [
      'a full disk',
      (folder) => {
        mount(folder, '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs')
        write(folder, { env: 'A=1\n', much: 'x'.repeat(3 * 4096) })
      },
      /The disk is full\. There is no room/,
      /df -h/,
    ],
    [
      'a disk without inodes',
      (folder) => {
        mount(folder, '-t', 'tmpfs', '-o', 'nr_inodes=3', 'tmpfs')
        write(folder, { env: 'A=1\n' })
      },
      /no inodes/,
      /df -i/,
    ],
  ])('%s', async (_, lay, words, next) => {
    const folder = write(scratch(), { env: 'A=1\n' })
    lay(folder)
    const before = statSync(folder).mode
    const found = await readEnvFile(file(folder))
    const problem = await problemOf(refuseHindered(found, 0).then(() => refuseFullDisk(found, 0)))
    expect(problem).toMatchObject({ code: 'env-file-not-writable', exit: 2 })
    expect(problem.why).toMatch(words)
    expect(String(problem.next)).toMatch(next)
    expect(String(problem.next)).not.toContain('sudo')
    expect(statSync(folder).mode).toBe(before)
  })
})

test('a usual file is not hindered, nor one that is yet to be made', async () => {
  const folder = write(scratch(), { env: 'A=1\n' })
  chmodSync(folder, 0o2750)
  for (const name of ['env', 'none']) {
    const found = await readEnvFile(join(folder, name))
    await refuseHindered(found, process.getuid?.())
    await refuseFullDisk(found, process.getuid?.())
  }
  expect(statSync(folder).mode & 0o7777).toBe(0o2750)
})

test.runIf(isRoot).each<[what: string, maker: number, owner: number, asks: boolean]>([
  ["root's link", 0, 33, false],
  ["the owner's own", 33, 33, false],
  ["another user's", 4711, 33, true],
  ["a user's link to root's file", 33, 0, true],
])(`%s: asked about: $3${needsRoot}`, async (_, maker, owner, asks) => {
  const folder = write(scratch(), { 'real/env': 'A=1\n' })
  mkdirSync(join(folder, 'live'))
  const path = join(folder, 'live/env')
  symlinkSync('../real/env', path)
  lchownSync(path, maker, maker)
  lchownSync(join(folder, 'real/env'), owner, owner)
  const found = await readEnvFile(path)
  expect(await isLedByOthers(found, wayTo(path).linkers)).toBe(asks)
})
