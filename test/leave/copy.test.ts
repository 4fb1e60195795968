import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { toType } from '../../src/core/to-type.ts'
import { compareSides } from '../../src/leave/compare.ts'
import { copyThere } from '../../src/leave/copy.ts'
import { diskDestination } from '../../src/leave/disk.ts'
import { hiddenKeys } from '../../src/leave/hidden.ts'
import type { Leaving } from '../../src/leave/leaving.ts'
import { connectBringBack, connectLanding } from '../../src/services/media/bring-back.ts'
import { localTree } from '../../src/services/media/tree.ts'
import type { StreamPort } from '../../src/services/process/port.ts'
import type { RclonePort } from '../../src/services/rclone/port.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'
import { installationOf } from '../fakes/fake-world.ts'
import { scratch, write } from '../services/mastodon/scratch.ts'

const PICTURE = 'media_attachments/files/109/001/original/aaaa.png'
const HIDDEN = 'media_attachments/files/109/002/original/bbbb.png'
const put = { contentType: 'image/png', cacheControl: '' }

interface Situation {
  readonly onDisk?: Readonly<Record<string, string>>
  readonly free?: number
  readonly refuses?: (key: string) => string | undefined
}

/** A bucket with two pictures, a folder, and an rclone that carries between them. */
async function leaving({ onDisk = {}, free = 1e12, refuses }: Situation = {}) {
  const root = join(scratch(), 'system')
  write(root, { 'accounts/avatars/1/original/old.png': 'old', ...onDisk })
  chmodSync(join(root, 'accounts/avatars/1/original/old.png'), 0o640)
  const s3 = new FakeS3()
  await s3.put(PICTURE, Buffer.from('picture'), put)
  await s3.put(HIDDEN, Buffer.from('hidden'), put)
  await s3.put('mastodon-r2-probe/x', Buffer.from('ours'), put)
  const landing = connectLanding(root)
  const carried: string[] = []
  const rclone: RclonePort = {
    version: async () => '1.60.1',
    acl: async () => undefined,
    canCarry: (key) => !key.includes('\n'),
    contentType: () => 'image/png',
    async copy({ keys, to }, listener) {
      for (const key of keys) {
        carried.push(key)
        const why = refuses?.(key)
        if (why !== undefined) {
          listener.failed(key, why)
          continue
        }
        const path = join(to.kind === 'folder' ? to.path : '', key)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, (await s3.get(key)).body)
        listener.copied(key)
      }
    },
  }
  const at: Leaving = {
    bucket: () => s3,
    from: {
      kind: 'bucket',
      endpoint: 'https://s3.example',
      bucket: 'b',
      region: 'auto',
      provider: 'Cloudflare',
      key: { accessKeyId: 'id', secretAccessKey: new Secret('hush') },
    },
    there: diskDestination(
      {
        source: localTree(root),
        from: { kind: 'folder', path: root },
        landing: { ...landing, free: async () => free },
        bringBack: connectBringBack(root),
      },
      { run: async () => ({ exitCode: 0, stdout: '', stderr: '' }) },
    ),
    installation: installationOf({}),
    isSwitched: false,
    complete: { until: undefined },
    rclone,
    transfers: undefined,
    hidden: async () => new Set([HIDDEN]),
    signal: new AbortController().signal,
    lineFor: (stage) => toType('leave', { stage }),
    tell: () => undefined,
    say: () => undefined,
    note: () => undefined,
  }
  const mode = (key: string) => statSync(join(root, key)).mode & 0o777
  const read = (key: string) => readFileSync(join(root, key), 'utf8')
  return { at, s3, carried, mode, read }
}

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
    return hiddenKeys({ installation, stream, asRoot: true, signal })
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
})
