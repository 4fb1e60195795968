import { spawn } from 'node:child_process'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import { lockEnvFile } from '../../../src/services/mastodon/env-write.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const NAME = '.env.production.mastodon-r2.lock'

function place(content?: string) {
  const dir = mkdtempSync(join(folder, 'live-'))
  const path = join(dir, '.env.production')
  const lock = join(dir, NAME)
  if (content !== undefined) writeFileSync(lock, content, { mode: 0o600 })
  return { dir, lock, file: { path, realPath: path } }
}

const me = { pid: process.pid, command: 'init' }

async function refusal(work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof Problem) return error
  throw new Error(`No Problem: ${String(error)}`)
}

/** What a lock of a living process holds, changed. */
async function lockText(changes: Record<string, unknown>): Promise<string> {
  const { file, lock } = place()
  const release = await lockEnvFile(file, me)
  const text = readFileSync(lock, 'utf8')
  await release()
  return `${JSON.stringify({ ...JSON.parse(text), ...changes })}\n`
}

test('it is for its owner alone, tells who holds it, and goes with the run', async () => {
  const { dir, lock, file } = place()
  const release = await lockEnvFile(file, me)
  expect(statSync(lock).mode & 0o777).toBe(0o600)
  expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({
    pid: process.pid,
    command: 'init',
    started: expect.stringMatching(/^\d+$/),
    since: expect.stringMatching(/^\d{4}-.*Z$/),
  })
  await release()
  expect(readdirSync(dir)).toEqual([])
})

test('the second run hears who holds it since when', async () => {
  const { file, lock } = place()
  const release = await lockEnvFile(file, { ...me, command: 'rotate' })
  const problem = await refusal(lockEnvFile(file, me))
  expect(problem).toMatchObject({ code: 'locked', exit: 1 })
  expect(problem.why).toMatch(/"mastodon-r2 rotate" \(process \d+ on .+\) works on it since 20/)
  expect(problem.next).toContain(`rm ${lock}`)
  await release()
  await (await lockEnvFile(file, me))()
})

describe('a lock whose run is gone is taken over', () => {
  test.each([
    { name: 'no such process', changes: async () => ({ pid: await deadPid() }) },
    { name: 'the number belongs to another process', changes: async () => ({ started: '1' }) },
    { name: 'the machine was started again', changes: async () => ({ boot: 'before' }) },
  ])('$name', async ({ changes }) => {
    const { dir, file, lock } = place(await lockText(await changes()))
    const release = await lockEnvFile(file, me)
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toMatchObject({ pid: process.pid })
    await release()
    expect(readdirSync(dir)).toEqual([])
  })

  test('one whose writing was cut off, some seconds later', async () => {
    const { file, lock } = place('{"pid":')
    expect(await refusal(lockEnvFile(file, me))).toMatchObject({ code: 'locked' })
    utimesSync(lock, Date.now() / 1000 - 60, Date.now() / 1000 - 60)
    await (await lockEnvFile(file, me))()
  })

  test('by one alone, when many see it', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { dir, file } = place(await lockText({ pid: await deadPid() }))
      const tries = Array.from({ length: 8 }, () => lockEnvFile(file, me))
      const results = await Promise.allSettled(tries)
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won).toHaveLength(1)
      for (const { value } of won) await value()
      expect(readdirSync(dir)).toEqual([])
    }
  })
})

test.each([
  ['another machine', { host: 'elsewhere', pid: 2 ** 22 + 1 }],
  ['another container', { pids: 'pid:[1]', pid: 2 ** 22 + 1 }],
])('what belongs to %s stays', async (_, changes) => {
  const text = await lockText(changes)
  const { file, lock } = place(text)
  expect(await refusal(lockEnvFile(file, me))).toMatchObject({ code: 'locked' })
  expect(readFileSync(lock, 'utf8')).toBe(text)
})

test('words from a lock can not steer the terminal', async () => {
  const { file } = place(await lockText({ command: '\u001B[2Jinit\n', since: 'x'.repeat(500) }))
  const { why } = await refusal(lockEnvFile(file, me))
  expect(why).toContain('"mastodon-r2 ?[2Jinit?"')
  expect(String(why).length).toBeLessThan(400)
})

test('a folder that is gone is a Problem', async () => {
  const { file, dir } = place()
  rmSync(dir, { recursive: true })
  const problem = await refusal(lockEnvFile(file, me))
  expect(problem).toMatchObject({ code: 'lock-not-writable', exit: 2 })
  expect(problem.why).toContain('The folder is gone')
})

function deadPid(): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore', timeout: 10_000 })
    child.on('error', reject)
    child.on('exit', () => resolve(child.pid ?? 0))
  })
}
