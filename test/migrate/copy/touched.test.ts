import { describe, expect, test } from 'vitest'
import { objectOf } from '../../fakes/fake-copy.ts'
import { type CopyWorld, expectEqual, filled, HOUR, lists, NOON, OLD, run } from './copy-runs.ts'

const FILES = 250
/** After the first copy: chown, chmod and mv change the ctime and leave the mtime. */
const THEN = NOON + HOUR / 2

async function complete(): Promise<CopyWorld> {
  const world = filled(FILES)
  world.source.hasContent()
  await run(world)
  world.clock.slept += HOUR
  world.s3.calls.length = 0
  world.rclone.batches.length = 0
  world.s3.pageSize = 100
  return world
}

function touch({ source }: CopyWorld, which: (key: string) => boolean = () => true): void {
  for (const file of [...source.tree.values()]) {
    if (which(file.key)) source.put(file.key, file.text, THEN, 0o644, OLD)
  }
}

describe('another owner or mode, and the same content', () => {
  test('nothing goes up again: the bucket is listed, the files are read', async () => {
    const world = await complete()
    touch(world)
    const { before, after, facts } = await run(world)
    expect(before).toMatchObject({
      changes: [{ what: expect.stringMatching(/250 files.*250 of them .* not sent again where/) }],
    })
    expect(world.rclone.asked).toEqual([])
    expect(lists(world)).toBeLessThanOrEqual(FILES / 100 + 1)
    expect(facts.mediaCopied).toMatchObject({ objects: 0, unchanged: FILES, failed: [] })
    expect(after).toMatchObject({
      is: 'ready',
      note: expect.stringContaining('250 older files not sent again'),
    })
    expectEqual(world)
  })

  test('the copy after that does not look at them any more', async () => {
    const world = await complete()
    touch(world)
    world.clock.slept += 60_000
    await run(world)
    world.s3.calls.length = 0
    const { before } = await run(world)
    expect(before.is).toBe('ready')
    expect(world.s3.calls).toEqual([])
  })

  test('what has another content, or is not there, goes up', async () => {
    const world = await complete()
    touch(world)
    world.source.put('files/007.png', 'TEXT 7', THEN, 0o644, OLD)
    world.source.put('files/moved here.png', 'new', THEN, 0o644, OLD)
    world.source.put('a/first.png', 'new', THEN, 0o644, OLD)
    world.source.put('z/last.png', 'new', THEN, 0o644, OLD)
    world.s3.objects.set('files/008.png', objectOf('longer than it is'))
    world.s3.objects.delete('files/100.png')
    const { facts } = await run(world)
    const sent = [
      'a/first.png',
      'files/007.png',
      'files/008.png',
      'files/100.png',
      'files/moved here.png',
      'z/last.png',
    ]
    expect([...world.rclone.asked].sort()).toEqual(sent)
    expect(facts.mediaCopied).toMatchObject({ objects: sent.length, unchanged: FILES - 3 })
    expectEqual(world)
  })

  test('a first copy that is gone on with asks no second time for what it has listed', async () => {
    const world = await complete()
    const { held } = world.checkpoint
    if (!held) throw new Error('No checkpoint.')
    world.checkpoint.held = { ...held, begunAt: held.completeSince, completeSince: undefined }
    touch(world)
    const { facts } = await run(world)
    expect(world.rclone.asked).toEqual([])
    expect(lists(world)).toBe(Math.ceil(FILES / 100))
    expect(facts.mediaCopied).toMatchObject({ objects: 0, unchanged: FILES })
  })
})

describe('goes up without a look at the bucket', () => {
  test('what was written since', async () => {
    const world = await complete()
    for (let nth = 300; nth < 600; nth += 1) {
      world.source.put(`files/${nth}.png`, 'new', THEN)
    }
    await run(world)
    expect(world.rclone.asked).toHaveLength(300)
    expect(lists(world)).toBe(0)
  })

  test('a few: one upload costs no more than one look', async () => {
    const world = await complete()
    touch(world, (key) => key < 'files/020')
    const { before } = await run(world)
    expect(before).toMatchObject({
      changes: [{ what: expect.stringMatching(/last copy, 20 files, \d+ bytes$/) }],
    })
    expect(world.rclone.asked).toHaveLength(20)
    expect(lists(world)).toBe(0)
  })

  test('what lies so far apart that a list holds few of them', async () => {
    const world = await complete()
    for (let nth = 0; nth < 30_000; nth += 1) {
      world.s3.objects.set(`files/000.png/${String(nth).padStart(5, '0')}`, objectOf('theirs'))
    }
    for (let nth = 0; nth < 150; nth += 1) {
      const key = `files/000.png/${String(nth * 200).padStart(5, '0')}`
      world.source.put(key, 'theirs', THEN, 0o644, OLD)
    }
    await run(world)
    expect(lists(world)).toBeLessThan(10)
    expect(world.rclone.asked.length).toBeGreaterThan(130)
  })

  test('what an earlier copy left', async () => {
    const world = await complete()
    const { held } = world.checkpoint
    if (!held) throw new Error('No checkpoint.')
    world.checkpoint.held = { ...held, failed: [{ key: 'files/005.png', reason: 'x' }] }
    touch(world)
    await run(world)
    expect(world.rclone.asked).toEqual(['files/005.png'])
  })
})

test('a file that can not be read, or is gone by then, is for rclone to tell', async () => {
  const world = await complete()
  touch(world)
  const { content } = world.source
  if (!content) throw new Error('No content.')
  world.source.content = (key) => {
    const code = key === 'files/005.png' ? 'EACCES' : 'ENOENT'
    if (key === 'files/005.png' || key === 'files/006.png') {
      throw Object.assign(new Error(code), { code })
    }
    return content(key)
  }
  await run(world)
  expect([...world.rclone.asked].sort()).toEqual(['files/005.png', 'files/006.png'])
})

test('Ctrl-C ends it, and what was found the same is noted', async () => {
  const world = await complete()
  touch(world)
  const { content } = world.source
  if (!content) throw new Error('No content.')
  let read = 0
  world.source.content = (key) => {
    read += 1
    if (read === 120) world.stop.abort()
    return content(key)
  }
  await expect(run(world)).rejects.toThrow('Cancelled')
  expect(world.checkpoint.puts.length).toBeGreaterThan(FILES)
  expect(world.rclone.asked).toEqual([])
})
