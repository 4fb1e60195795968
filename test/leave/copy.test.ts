import { describe, expect, test } from 'vitest'
import { toType } from '../../src/core/to-type.ts'
import { compareSides } from '../../src/leave/compare.ts'
import { copyThere } from '../../src/leave/copy.ts'
import { hiddenKeys } from '../../src/leave/hidden.ts'
import type { StreamPort } from '../../src/services/process/port.ts'
import { installationOf } from '../fakes/fake-world.ts'
import { scratch } from '../services/mastodon/scratch.ts'
import { HIDDEN, leaving, PICTURE, put } from './to-disk.ts'

describe('a copy to the disk', () => {
  test('fetches what is missing, hidden media for its owner alone, and nothing of ours', async () => {
    const { at, carried, mode, read } = await leaving()
    const step = copyThere(at)
    expect(await step.look(undefined)).toMatchObject({
      is: 'change',
      changes: [{ what: expect.stringMatching(/^fetch 2 files .*mode 0600/), risk: 'safe' }],
    })
    await step.change?.(undefined)
    expect(await step.look(undefined)).toMatchObject({ is: 'ready' })
    expect(carried).toEqual([PICTURE, HIDDEN])
    expect([read(PICTURE), mode(PICTURE), mode(HIDDEN)]).toEqual(['picture', 0o640, 0o600])
  })

  test('what is there already is not fetched again', async () => {
    const { at, carried } = await leaving({ onDisk: { [PICTURE]: 'picture' } })
    const step = copyThere(at)
    await step.change?.(undefined)
    expect(carried).toEqual([HIDDEN])
  })

  test('without room nothing is begun', async () => {
    const { at, carried } = await leaving({ free: 1000 })
    const problem = { code: 'media-disk-too-small', exit: 2 }
    expect(await copyThere(at).look(undefined)).toMatchObject({ is: 'blocked', problem })
    expect(carried).toEqual([])
  })

  test('a disk that gets full ends it', async () => {
    const { at } = await leaving({ refuses: () => 'the disk is full' })
    await expect(copyThere(at).change?.(undefined)).rejects.toMatchObject({
      code: 'media-disk-full',
    })
  })

  test('what failed is told with its reason, and the rest is there', async () => {
    const { at, read } = await leaving({ refuses: (key) => (key === HIDDEN ? '500' : undefined) })
    const step = copyThere(at)
    await step.change?.(undefined)
    expect(await step.look(undefined)).toMatchObject({
      is: 'blocked',
      problem: { code: 'leave-incomplete', why: expect.stringContaining(`"${HIDDEN}" (500)`) },
    })
    expect(read(PICTURE)).toBe('picture')
  })

  test('an empty object that stands for a folder is left out, and told', async () => {
    const { at, s3, carried } = await leaving()
    await s3.put('accounts/', new Uint8Array(), put)
    const step = copyThere(at)
    await step.change?.(undefined)
    expect(await step.look(undefined)).toMatchObject({
      is: 'ready',
      warnings: [expect.any(String), expect.stringContaining('"accounts/"')],
    })
    expect(carried).toEqual([PICTURE, HIDDEN])
    expect((await compareSides(at, { checksum: true }).look({ facts: {} })).is).toBe('ready')
  })

  test('before a switch a file that is something else ends it', async () => {
    const { at, read } = await leaving({ onDisk: { [PICTURE]: 'mine' } })
    await expect(copyThere(at, 'catch-up').change?.(undefined)).rejects.toMatchObject({
      code: 'disk-not-equal',
    })
    expect(read(PICTURE)).toBe('mine')
  })
})

test.each([
  [{}, false, 'blocked'],
  [{ [PICTURE]: 'picture', [HIDDEN]: 'hidden' }, false, 'ready'],
  [{ [PICTURE]: 'pictures', [HIDDEN]: 'hidden' }, false, 'blocked'],
  [{ [PICTURE]: 'erutcip', [HIDDEN]: 'hidden' }, false, 'ready'],
  [{ [PICTURE]: 'erutcip', [HIDDEN]: 'hidden' }, true, 'blocked'],
])('a comparison of %j, contents %s: %s', async (onDisk, checksum, expected) => {
  const { at } = await leaving({ onDisk: onDisk as Record<string, string> })
  expect((await compareSides(at, { checksum }).look({ facts: {} })).is).toBe(expected)
})

describe('whose media is hidden', () => {
  const asked = (lines: readonly string[], exitCode = 0) => {
    const stream: StreamPort = {
      async stream(_, { onLine }) {
        for (const line of lines) onLine(line, exitCode === 0 ? 'stdout' : 'stderr')
        return { exitCode, aborted: false }
      },
    }
    const installation = installationOf({ dir: scratch() })
    const { signal } = new AbortController()
    const lineFor = (more = {}) => toType('leave', { stage: 'cutover', ...more })
    return hiddenKeys({ installation, stream, asRoot: true, signal, kind: 'disk', lineFor })
  }

  test.each([
    ['a key', HIDDEN, HIDDEN],
    ['a path', `/home/mastodon/live/public/system/${HIDDEN}`, HIDDEN],
    ['of another server', `cache/${HIDDEN}`, `cache/${HIDDEN}`],
  ])('as %s, among other words', async (_, line, key) => {
    expect([...(await asked(['I, INFO -- : [dotenv] Loaded .env.production', line]))]).toEqual([
      key,
    ])
  })

  test('a path of another form is not passed over', async () => {
    const odd = '/srv/media_attachments/elsewhere/1.png'
    await expect(asked([HIDDEN, odd])).rejects.toMatchObject({
      code: 'suspended-unknown',
      why: expect.stringContaining(odd),
    })
  })

  test('no answer is not nobody', async () => {
    await expect(asked(['PG::ConnectionBad'], 1)).rejects.toMatchObject({
      code: 'suspended-unknown',
      why: expect.stringContaining('PG::ConnectionBad'),
    })
  })

  test('the lines to type are those of the run', async () => {
    const problem = await asked([], 1).catch((error: unknown) => error)
    const { next } = problem as { next: unknown }
    expect(String(next).match(/leave --.*/g)).toEqual([
      'leave --stage cutover',
      'leave --stage cutover --suspended-open',
    ])
  })
})
