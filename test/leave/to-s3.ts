import { Secret } from '../../src/core/secret.ts'
import { toType } from '../../src/core/to-type.ts'
import { copyThere } from '../../src/leave/copy.ts'
import type { Leaving } from '../../src/leave/leaving.ts'
import { otherS3 } from '../../src/leave/other-s3.ts'
import type { CopyBatch, RclonePort } from '../../src/services/rclone/port.ts'
import { newProvider } from '../../src/setup/new-provider.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'
import { HOST, installationOf } from '../fakes/fake-world.ts'

export const PICTURE = 'media_attachments/files/109/001/original/aaaa.png'
export const HIDDEN = 'media_attachments/files/109/002/original/bbbb.png'
export const BACKUP = 'backups/dumps/000/001/original/archive.zip'
const put = { contentType: 'image/png', cacheControl: '' }
export const HOUR = 3_600_000

const given = {
  S3_BUCKET: 'next',
  S3_ENDPOINT: 'https://s3.example.net',
  S3_ALIAS_HOST: HOST,
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'a-secret-key',
}

/** Two buckets, and an rclone that carries between them. */
export async function leaving(changes: Readonly<Record<string, string>> = {}) {
  const provider = newProvider(new Map(Object.entries({ ...given, ...changes })), 'next.env')
  const [s3, next] = [new FakeS3(), new FakeS3()]
  await s3.put(PICTURE, Buffer.from('picture'), put)
  await s3.put(HIDDEN, Buffer.from('hidden'), put)
  await s3.put(BACKUP, Buffer.from('backup'), put)
  const runs: { acl: string | undefined; keys: readonly string[] }[] = []
  const refused = new Map<string, string>()
  const notes: string[] = []
  const rclone: RclonePort = {
    version: async () => '1.60.1',
    acl: async (place) => place.acl,
    canCarry: (key) => !key.includes('\n'),
    contentType: () => 'image/png',
    async copy({ keys, to }: CopyBatch, listener) {
      const acl = to.kind === 'bucket' ? to.acl : undefined
      runs.push({ acl, keys })
      for (const key of keys) {
        const why = refused.get(key) ?? refused.get('*')
        if (why !== undefined) {
          listener.failed(key, why)
          continue
        }
        await next.put(key, (await s3.get(key)).body, { ...put, ...(acl && { acl }) })
        listener.copied(key)
      }
    },
  }
  const installation = installationOf({})
  const at: Leaving = {
    bucket: () => s3,
    from: {
      kind: 'bucket',
      endpoint: 'https://r2.example',
      bucket: 'b',
      region: 'auto',
      provider: 'Cloudflare',
      key: { accessKeyId: 'id', secretAccessKey: new Secret('hush') },
    },
    there: otherS3({ provider, s3: next, rclone, installation, mediaHost: 'files.example.com' }),
    installation,
    isSwitched: false,
    complete: { until: undefined },
    rclone,
    transfers: undefined,
    hidden: async () => new Set([HIDDEN]),
    signal: new AbortController().signal,
    lineFor: (stage, more) => toType('leave', { stage, ...more }),
    tell: () => undefined,
    say: () => undefined,
    note: (line) => void notes.push(line),
  }
  const stored = (bucket: FakeS3, key: string, text: string, lastModified = 0) =>
    bucket.objects.set(key, { body: Buffer.from(text), ...put, lastModified })
  const copy = async (round?: Parameters<typeof copyThere>[1]) => {
    const step = copyThere(at, round)
    await step.change?.(undefined)
    return step.look(undefined)
  }
  return { at, provider, s3, next, runs, refused, notes, stored, copy }
}
