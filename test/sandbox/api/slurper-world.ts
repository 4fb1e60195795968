import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { Secret } from '../../../src/core/secret.ts'
import { sendRequest } from '../../../src/core/send-request.ts'
import { startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import type { Send } from '../../../src/services/cloudflare/wire.ts'
import { connectS3 } from '../../../src/services/s3/client.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'
import { signed } from '../r2/sign.ts'
import type { TestKey } from '../r2/stand.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely by tests
type Loose = any

/** A sandbox with two buckets: `old` (in eu, as if it were another provider) and `media` on R2. */
export async function slurperWorld(send: Send = sendRequest) {
  const sandbox = await startSandbox({
    keyMs: 0,
    domainMs: 0,
    slurper: { plainHttp: true },
    startEmulator: lendEmulator,
  })
  const { accountId, bootstrapToken, apiUrl } = sandbox
  const cloudflare = connectCloudflare({ token: bootstrapToken, baseUrl: apiUrl, send })
  const places = {
    old: { accountId, bucket: 'old', jurisdiction: 'eu' },
    media: { accountId, bucket: 'media', jurisdiction: 'default' },
  } as const
  const keyOf = async (at: (typeof places)['old' | 'media']) => {
    await cloudflare.createBucket(at)
    const owner = { kind: 'account', accountId } as const
    const { id, secretAccessKey } = await cloudflare.mintKey(owner, {
      name: at.bucket,
      at,
      allowIps: [],
    })
    return { accessKeyId: id, secretAccessKey }
  }
  const [oldKey, mediaKey] = [await keyOf(places.old), await keyOf(places.media)]
  const endpoint = sandbox.s3Url('eu')
  const old = connectS3({ endpoint, bucket: 'old', key: oldKey })
  const media = connectS3({ endpoint: sandbox.s3Url(), bucket: 'media', key: mediaKey })
  const inClear = ({ accessKeyId, secretAccessKey }: typeof oldKey) => ({
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
  })
  const signer = { credentials: inClear(oldKey) } as TestKey

  return {
    sandbox,
    cloudflare,
    switches: sandbox.slurper,
    old,
    media,
    oldKey,
    mediaKey,
    endpoint,
    source: { vendor: 's3', bucket: 'old', endpoint, secret: inClear(oldKey) },
    target: { vendor: 'r2', bucket: 'media', secret: inClear(mediaKey) },
    wrong: inClear({ ...oldKey, secretAccessKey: new Secret('0'.repeat(64)) }),

    async call(method: string, path: string, body?: unknown): Promise<Loose> {
      const response = await send(new URL(`${apiUrl}/accounts/${accountId}/slurper${path}`), {
        method,
        headers: {
          authorization: `Bearer ${bootstrapToken.reveal()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: new AbortController().signal,
      })
      const answer: Loose = JSON.parse(String(await buffer(response.body)))
      return { status: response.status, body: answer, result: answer.result }
    },

    /** Puts objects into the old bucket as Mastodon would. */
    async fill(keys: readonly string[], bodies: Record<string, string> = {}) {
      for (const key of keys) {
        const body = bodies[key] ?? createHash('md5').update(key).digest('hex')
        const path = `/old/${key.split('/').map(encodeURIComponent).join('/')}`
        const headers = {
          'content-type': 'image/png',
          'cache-control': 'public, max-age=315576000, immutable',
          'x-amz-meta-mtime': '1.5',
        }
        const wish = { key: signer, method: 'PUT', path, headers, body }
        const { status } = await fetch(...signed(endpoint, wish))
        if (status !== 200) throw new Error(`PUT ${key}: ${status}`)
      }
    },

    async keys(): Promise<string[]> {
      return media.list('', 1000)
    },

    head: (key: string) => media.head(key),
    close: () => sandbox.close(),
  }
}

export type SlurperWorld = Awaited<ReturnType<typeof slurperWorld>>
