import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Secret } from '../../src/core/secret.ts'
import { toType } from '../../src/core/to-type.ts'
import { diskDestination } from '../../src/leave/disk.ts'
import type { Leaving } from '../../src/leave/leaving.ts'
import { connectBringBack, connectLanding } from '../../src/services/media/bring-back.ts'
import { localTree } from '../../src/services/media/tree.ts'
import type { RclonePort } from '../../src/services/rclone/port.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'
import { installationOf } from '../fakes/fake-world.ts'
import { scratch, write } from '../services/mastodon/scratch.ts'

export const PICTURE = 'media_attachments/files/109/001/original/aaaa.png'
export const HIDDEN = 'media_attachments/files/109/002/original/bbbb.png'
export const put = { contentType: 'image/png', cacheControl: '' }

interface Situation {
  readonly onDisk?: Readonly<Record<string, string>>
  readonly free?: number
  readonly refuses?: (key: string) => string | undefined
}

/** A bucket with two pictures, a folder, and an rclone that carries between them. */
export async function leaving({ onDisk = {}, free = 1e12, refuses }: Situation = {}) {
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
    lineFor: (stage, more) => toType('leave', { stage, ...more }),
    tell: () => undefined,
    say: () => undefined,
    note: () => undefined,
  }
  const mode = (key: string) => statSync(join(root, key)).mode & 0o777
  const read = (key: string) => readFileSync(join(root, key), 'utf8')
  return { at, root, s3, carried, mode, read }
}
