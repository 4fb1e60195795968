import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareSides } from '../../src/leave/compare.ts'
import { copyThere } from '../../src/leave/copy.ts'
import type { Leaving } from '../../src/leave/leaving.ts'
import { HIDDEN, leaving, PICTURE, put } from './to-disk.ts'
import { leaving as toS3 } from './to-s3.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** On the disk a picture as it was brought just now, and on R2 another that was stored `later`. */
async function rewritten(later: number, changes: Partial<Leaving> = {}) {
  const world = await leaving({ onDisk: { [PICTURE]: 'raw', [HIDDEN]: 'hidden' } })
  const stored = (lastModified: number) =>
    world.s3.objects.set(PICTURE, { body: Buffer.from('picture'), ...put, lastModified })
  stored(Date.now() + later)
  world.s3.time = new Date()
  const at = { ...world.at, ...changes }
  const copy = async (round?: Parameters<typeof copyThere>[1]) => {
    const step = copyThere(at, round)
    await step.change?.(undefined)
    return step.look(undefined)
  }
  const compare = () => compareSides(at, { checksum: false }).look({ facts: {} })
  return { ...world, at, stored, copy, compare }
}

const switched = (switchedAt: number): Partial<Leaving> => ({
  isSwitched: true,
  complete: { until: switchedAt - 24 * HOUR, switchedAt },
})

describe('what Mastodon has stored anew on R2 since it was brought to the disk', () => {
  test('is brought again, as a video that was worked on meanwhile', async () => {
    const { at, copy, compare, read, mode } = await rewritten(MINUTE)
    expect(await compare()).toMatchObject({
      is: 'blocked',
      problem: { why: expect.stringContaining('1 stored anew on R2') },
    })
    expect(await copyThere(at).look(undefined)).toMatchObject({
      changes: [{ what: expect.stringContaining('of these 1 stored anew') }],
    })
    expect(await copy('catch-up')).toMatchObject({ is: 'ready' })
    expect([read(PICTURE), mode(PICTURE)]).toEqual(['picture', 0o640])
    expect(await compare()).toMatchObject({ is: 'ready' })
  })

  test.each([
    ['R2 stored it before', 0, -MINUTE],
    ['the clock of R2 is ahead by an hour', HOUR, HOUR - MINUTE],
  ])('is not taken for that, where %s', async (_, ahead, later) => {
    const { s3, copy, read } = await rewritten(later)
    s3.time = new Date(Date.now() + ahead)
    await expect(copy('catch-up')).rejects.toMatchObject({ code: 'disk-not-equal' })
    expect(read(PICTURE)).toBe('raw')
  })

  test('between its fetching and its placing: this run has begun before', async () => {
    const { copy, read } = await rewritten(-MINUTE, {
      complete: { until: undefined, begunAt: Date.now() - 5 * MINUTE },
    })
    await copy('catch-up')
    expect(read(PICTURE)).toBe('picture')
  })

  test('a file that somebody puts there meanwhile is not replaced', async () => {
    const { at, root, copy, read } = await rewritten(MINUTE)
    const { place } = at.there
    const late = {
      ...at.there,
      place: (files: Parameters<typeof place>[0]) => {
        writeFileSync(join(root, PICTURE), 'mine')
        return place(files)
      },
    }
    Object.assign(at, { there: late })
    expect(await copy()).toMatchObject({
      problem: { why: expect.stringContaining('(it was changed meanwhile)') },
    })
    expect(read(PICTURE)).toBe('mine')
  })
})

describe('after the switch to the disk', () => {
  test('what Mastodon has not stored there since is as R2 has it', async () => {
    const { copy, compare, read } = await rewritten(-MINUTE, switched(Date.now() + MINUTE))
    expect(await compare()).toMatchObject({ is: 'blocked' })
    await copy('after')
    expect(read(PICTURE)).toBe('picture')
    expect(await compare()).toMatchObject({ is: 'ready' })
  })

  test.each([[-MINUTE], [MINUTE]])(
    'what Mastodon has stored there stays, is told, and ends nothing: R2 %i ms later',
    async (later) => {
      const { copy, compare, read } = await rewritten(later, switched(Date.now() - MINUTE))
      await copy('after')
      expect(read(PICTURE)).toBe('raw')
      expect(await compare()).toMatchObject({
        is: 'ready',
        warnings: [
          expect.stringContaining('stored there since Mastodon uses the disk'),
          expect.any(String),
        ],
      })
    },
  )

  test.each([
    ['R2 has the younger one', HOUR, 'blocked'],
    ['the disk has', -HOUR, 'ready'],
  ])('where nothing tells when that was, and %s', async (_, later, is) => {
    const { copy, compare, read } = await rewritten(later, { isSwitched: true })
    await copy('catch-up')
    expect(read(PICTURE)).toBe('raw')
    const compared = await compare()
    expect(compared.is).toBe(is)
    if (compared.is === 'blocked')
      expect(String(compared.problem.next)).toContain('Put aside what is not the same.')
  })

  test('of other contents of one size the disk keeps its own, and older ones are told', async () => {
    for (const [later, is] of [
      [-MINUTE, 'ready'],
      [MINUTE, 'blocked'],
    ] as const) {
      const world = await leaving({ onDisk: { [PICTURE]: 'erutcip', [HIDDEN]: 'hidden' } })
      const at = { ...world.at, ...switched(Date.now() + later) }
      const compared = await compareSides(at, { checksum: true }).look({ facts: {} })
      expect(compared.is).toBe(is)
      if (compared.is === 'blocked')
        expect(String(compared.problem.next)).not.toContain('stage copy')
    }
  })

  test('as the backup of another run tells it', async () => {
    for (const [later, text] of [
      [MINUTE, 'picture'],
      [-MINUTE, 'raw'],
    ] as const) {
      const complete = { until: 0, switchedHere: Date.now() + later }
      const { copy, read } = await rewritten(-MINUTE, { isSwitched: true, complete })
      await copy('catch-up')
      expect(read(PICTURE)).toBe(text)
    }
  })

  test('what lies where the disk can not be read is not taken for removed', async () => {
    const { at, compare } = await rewritten(-48 * HOUR, switched(Date.now()))
    Object.assign(at, {
      there: {
        ...at.there,
        source: {
          ...at.there.source,
          async *files({ onOddity }: { onOddity: (oddity: object) => void }) {
            onOddity({ kind: 'unreadable', path: 'media_attachments/files/', note: '' })
            yield []
          },
        },
      },
    })
    expect(await compare()).toMatchObject({
      problem: { why: expect.stringContaining('2 not there') },
    })
  })
})

describe('after the switch to another provider', () => {
  const times = [
    ['the old process wrote on R2 last', 1, 'picture'],
    ['Mastodon wrote there', 3, 'newer by Mastodon'],
  ] as const
  test.each(times)('%s: the next run ends', async (_, there, text) => {
    const { at, s3, next, stored, copy } = await toS3()
    await copy()
    stored(s3, PICTURE, 'picture', 4 * HOUR)
    stored(next, PICTURE, there === 1 ? 'raw' : 'newer by Mastodon', there * HOUR)
    Object.assign(at, { isSwitched: true })
    Object.assign(at.complete, { until: 0, switchedAt: 2 * HOUR })
    await copy('after')
    expect(Buffer.from((await next.get(PICTURE)).body).toString()).toBe(text)
    expect((await compareSides(at, { checksum: true }).look({ facts: {} })).is).toBe('ready')
  })
})
