import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCheckpoint } from '../../../src/services/checkpoint/checkpoint.ts'
import { readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { lockEnvFile, setAside, writeEnvFile } from '../../../src/services/mastodon/env-write.ts'
import { problemOf } from '../../fakes/found.ts'
import { scratch, write } from './scratch.ts'

const NOW = new Date('2026-11-29T12:00:00Z')
const who = { pid: process.pid, command: 'init' }

/** An env file that was read, and a file of somebody else that must stay as it is. */
async function read() {
  const home = write(scratch(), { 'live/env': 'A=1\n', 'other/env': 'A=1\n' })
  const [live, other] = [join(home, 'live'), join(home, 'other')]
  chmodSync(join(other, 'env'), 0o644)
  return { live, other, file: await readEnvFile(join(live, 'env')) }
}

type Read = Awaited<ReturnType<typeof read>>

const swaps: [what: string, swap: (at: Read) => void][] = [
  [
    'the file is a link by now',
    ({ live, other }) => {
      rmSync(join(live, 'env'))
      symlinkSync(join(other, 'env'), join(live, 'env'))
    },
  ],
  [
    'the file is a pipe by now',
    ({ live }) => {
      rmSync(join(live, 'env'))
      execFileSync('mkfifo', [join(live, 'env')])
    },
  ],
  [
    'the folder is a link by now',
    ({ live, other }) => {
      renameSync(live, `${live}.moved`)
      symlinkSync(other, live)
    },
  ],
]

const acts: [what: string, act: (at: Read) => Promise<unknown>][] = [
  ['writing', ({ file }) => writeEnvFile(file, 'A=2\n', { now: NOW })],
  ['putting aside', ({ file }) => setAside(file, NOW)],
]

describe.each(acts)('%s changes no other file', (_, act) => {
  test.each(swaps)('%s', async (__, swap) => {
    const at = await read()
    swap(at)
    const { code } = await problemOf(act(at))
    expect(['env-file-changed', 'env-file-not-writable']).toContain(code)
    expect(readFileSync(join(at.other, 'env'), 'utf8')).toBe('A=1\n')
    expect(statSync(join(at.other, 'env')).mode & 0o777).toBe(0o644)
    expect(readdirSync(at.other)).toEqual(['env'])
  })
})

describe('what lies where the lock has to be is told as what it is', () => {
  test.each<[what: string, lay: (path: string) => void, words: RegExp]>([
    ['a link', (path) => symlinkSync('/etc/passwd', path), /there is a link/],
    ['a link that leads nowhere', (path) => symlinkSync('/nowhere', path), /there is a link/],
    ['a folder', (path) => mkdirSync(path), /there is a folder/],
    ['a pipe', (path) => execFileSync('mkfifo', [path]), /there is a pipe/],
    ['a large file', (path) => writeFileSync(path, 'x'.repeat(10_000)), /there is a large file/],
  ])('%s', async (_, lay, words) => {
    const { live, file } = await read()
    const path = join(live, 'env.mastodon-r2.lock')
    lay(path)
    const before = lstatSync(path).ino
    const problem = await problemOf(lockEnvFile(file, who))
    expect(problem).toMatchObject({ code: 'lock-not-a-file', what: words })
    expect(lstatSync(path).ino).toBe(before)
  })

  test('a holder that has ended and was not asked for its end is no holder', async () => {
    const { file } = await read()
    // The one that takes the parent's place never asks for the end of the other.
    const parent = spawn('sh', ['-c', 'sleep 20 & echo $!; exec sleep 20'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const [line] = await once(parent.stdout, 'data')
    const pid = Number(String(line))
    await lockEnvFile(file, { pid, command: 'init' })
    expect(await problemOf(lockEnvFile(file, who))).toMatchObject({ code: 'locked' })
    process.kill(pid, 'SIGKILL')
    while (!/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const release = await lockEnvFile(file, who)
    await release()
    parent.kill('SIGKILL')
  })
})

describe('notes of a migration', () => {
  const notes = () => {
    const stateHome = scratch()
    const checkpoint = openCheckpoint({ stateHome, id: 'x' })
    mkdirSync(checkpoint.path, { recursive: true })
    return { checkpoint, at: (name: string) => join(checkpoint.path, name) }
  }

  test.each(['checkpoint.json', 'copied.jsonl'])(
    'a pipe in place of %s keeps nobody',
    async (name) => {
      const { checkpoint, at } = notes()
      execFileSync('mkfifo', [at(name)])
      const act = name === 'copied.jsonl' ? checkpoint.record(['a']) : checkpoint.read()
      expect((await problemOf(act)).code).toMatch(/^checkpoint-/)
    },
  )

  test('a link in place of copied.jsonl is not written through', async () => {
    const { checkpoint, at } = notes()
    symlinkSync(at('elsewhere'), at('copied.jsonl'))
    expect((await problemOf(checkpoint.record(['a']))).code).toBe('checkpoint-not-writable')
    expect(existsSync(at('elsewhere'))).toBe(false)
  })
})
