import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import type { Machine } from '../e2e/machine.ts'
import { keysOf, openStage, until } from '../e2e/stage.ts'
import { isRequired } from '../requirement.ts'
import { keyOf } from './migrating.ts'

const noRclone = whyNoRclone()
const stage = noRclone ? undefined : await openStage({ emulator: 'eager' })
afterAll(() => stage?.close())

function whyNoRclone(): string | undefined {
  try {
    execFileSync('rclone', ['version'], { timeout: 10_000 })
    return undefined
  } catch (cause) {
    if (isRequired('rclone')) throw new Error('There is no rclone.', { cause })
    return '(there is no rclone here)'
  }
}

const FILES = 600
const textOf = (nth: number) => `text ${nth}`.padEnd(600, '.')

/** A machine with media, and a bucket that waits for it. */
async function prepared(bucket: string): Promise<Machine> {
  if (!stage) throw new Error('There is no rclone.')
  const version = 'def major\n  4\nend\ndef minor\n  6\nend\n'
  const at = stage.machine(undefined, { 'lib/mastodon/version.rb': version })
  for (let nth = 0; nth < FILES; nth += 1) put(at, keyOf(nth), textOf(nth))
  const where = ['--media-host', `${bucket}.example.com`, '--bucket', bucket]
  const { code, stdout, stderr } = await stage.initHere(at, [
    ...where,
    '--existing-media',
    'prepare',
  ])
  expect(code, stdout + stderr).toBe(0)
  return at
}

function put(at: Machine, key: string, text: string): void {
  const path = at.path(join('public/system', key))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

// What is under way when it is killed is sent again: with a given number that is a known number.
const migrate = ['migrate', '--stage', 'copy', '--transfers', '64', '--yes']
const uploads = (bucket: string) =>
  stage?.sandbox.log.filter(({ method, path }) => method === 'PUT' && path.includes(`/${bucket}/m`))
    .length ?? 0

async function stored(bucket: string): Promise<Map<string, number>> {
  if (!stage) throw new Error('There is no rclone.')
  const [key] = keysOf(stage.sandbox, bucket)
  if (!key) throw new Error('There is no key.')
  const s3Key = { accessKeyId: key.id, secretAccessKey: new Secret(key.secret) }
  const s3 = connectS3({ endpoint: stage.sandbox.s3Url(), bucket, key: s3Key })
  const found = new Map<string, number>()
  for await (const page of s3.pages()) for (const { key, size } of page) found.set(key, size)
  return found
}

describe.skipIf(noRclone)(`migrate, killed ${noRclone ?? ''}`, () => {
  test.each([
    ['SIGKILL', 'early', 30],
    ['SIGKILL', 'late', 400],
    ['SIGTERM', 'half-way', 200],
  ] as const)('%s, %s: the next run does the rest', async (signal, when, after) => {
    if (!stage) throw new Error('There is no rclone.')
    const bucket = `killed-${when}`
    const at = await prepared(bucket)
    const running = stage.start(at, migrate)
    await until('uploads began', () => uploads(bucket) >= after)
    running.child.kill(signal)
    const { code } = await running.ended
    expect(code).not.toBe(0)
    // Both sides while nobody was looking: the same size, other bytes.
    const early = [...(await stored(bucket)).keys()][0] ?? ''
    put(at, early, readFileSync(at.path(join('public/system', early)), 'utf8').toUpperCase())
    const again = await stage.init(at, [...migrate, '--json'])
    expect(again.code, again.stdout).toBe(0)
    const there = await stored(bucket)
    expect(there.size).toBe(FILES)
    const before = uploads(bucket)
    expect(before).toBeLessThan(FILES + 200)
    const nothing = await stage.initHere(at, migrate)
    expect(nothing.stdout).toContain('nothing new since')
    expect(uploads(bucket)).toBe(before)
  })
})
