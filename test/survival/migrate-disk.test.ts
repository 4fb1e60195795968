import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { isRequired } from '../requirement.ts'
import { Bench } from '../services/rclone/bench.ts'
import { Migrating } from './migrating.ts'

const PAGE = 4096
const mounted: string[] = []
const opened: Migrating[] = []
const hindrance = whyNot()
const bench = hindrance ? undefined : await Bench.start()
afterAll(async () => {
  for (const path of mounted) execFileSync('umount', ['-l', path], { timeout: 10_000 })
  for (const migrating of opened) migrating.close()
  await bench?.close()
})

function whyNot(): string | undefined {
  try {
    execFileSync('rclone', ['version'], { timeout: 10_000 })
    if (process.getuid?.() !== 0) throw new Error('Only root mounts.')
    return undefined
  } catch (cause) {
    if (isRequired('mount') && isRequired('rclone')) throw new Error('No disk.', { cause })
    return '(no rclone, or no small disk can be mounted here)'
  }
}

/** A migration whose notes lie on a disk of 24 pages, of which some are free. */
async function onSmallDisk(free: number, files: number) {
  if (!bench) throw new Error('There is no rclone.')
  const at = new Migrating(bench, await bench.bucket(`disk-${opened.length + 1}`))
  opened.push(at)
  at.fill(files)
  mkdirSync(at.stateHome)
  const size = `size=${24 * PAGE}`
  execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', at.stateHome], { timeout: 10_000 })
  mounted.push(at.stateHome)
  const filler = join(at.stateHome, 'filler')
  writeFileSync(filler, Buffer.alloc((23 - free) * PAGE))
  return { at, makeRoom: () => rmSync(filler) }
}

describe.skipIf(hindrance)(`a disk that is full ${hindrance ?? ''}`, () => {
  test.each([
    ['at once', 0],
    ['when it begins', 3],
    ['while it runs', 8],
  ])('%s: said, nothing is claimed, and the next run ends equal', async (_, free) => {
    const { at, makeRoom } = await onSmallDisk(free, 800)
    await expect(at.copy()).rejects.toMatchObject({
      code: 'checkpoint-not-writable',
      why: expect.stringContaining('The disk is full.'),
    })
    const { checkpoint } = at.migration()
    expect((await checkpoint.read())?.completeSince).toBeUndefined()
    makeRoom()
    const notes = await checkpoint.recorded(new Set((await at.files()).keys()))
    const stored = await at.stored()
    expect([...notes].filter((key) => !stored.has(key))).toEqual([])
    expect((await at.copy()).is).toBe('ready')
    expect(await at.stored()).toEqual(await at.files())
  })
})
