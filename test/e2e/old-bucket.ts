import { expect } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import type { S3Port } from '../../src/services/s3/port.ts'
import { addKey, ITEM_WRITE } from '../sandbox/r2/stand.ts'
import type { Stage } from './stage.ts'

export const FILES = 30
export const OLD = { bucket: 'old-media', host: 'old.example.net' }

/** A bucket of the sandbox, with a key that opens it. */
export interface OtherBucket {
  readonly endpoint: string
  readonly s3: S3Port
  readonly accessKeyId: string
  readonly secretAccessKey: string
  call(path: string, body: object): Promise<number>
}

/**
 * An empty bucket. One in `eu` is another provider's as far as the tool can tell: its endpoint is not
 * the one that is said to be R2's.
 */
export async function otherBucket(
  { sandbox }: Pick<Stage, 'sandbox'>,
  jurisdiction: 'default' | 'eu',
  bucket: string,
): Promise<OtherBucket> {
  const { accountId, apiUrl, bootstrapToken, world } = sandbox
  const call = async (path: string, body: object) => {
    const { status } = await fetch(`${apiUrl}/accounts/${accountId}/r2/buckets${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bootstrapToken.reveal()}`,
        'content-type': 'application/json',
        'cf-r2-jurisdiction': jurisdiction,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    })
    return status
  }
  expect(await call('', { name: bucket })).toBe(200)
  const resource = `com.cloudflare.edge.r2.bucket.${accountId}_${jurisdiction}_${bucket}`
  const { credentials } = addKey(world, { [resource]: '*' }, ITEM_WRITE, { accountId })
  const { accessKeyId, secretAccessKey } = credentials
  const endpoint = sandbox.s3Url(jurisdiction)
  const key = { accessKeyId, secretAccessKey: new Secret(secretAccessKey) }
  const s3 = connectS3({ endpoint, bucket, key })
  return { endpoint, s3, accessKeyId, secretAccessKey, call }
}

/** A bucket with media in it, and the lines that make Mastodon use it. */
export async function oldBucket(stage: Stage, jurisdiction: 'default' | 'eu'): Promise<string> {
  const old = await otherBucket(stage, jurisdiction, OLD.bucket)
  const { endpoint, s3, accessKeyId, secretAccessKey } = old
  const headers = { contentType: 'image/png', cacheControl: 'max-age=60' }
  for (let nth = 0; nth < FILES; nth += 1) {
    const name = `media_attachments/files/000/000/${100 + nth}/original/${nth} \u00e9.png`
    await s3.put(name, Buffer.from(`picture ${nth}`), headers)
  }
  await s3.put('backups/dumps/000/000/001/original/archive.zip', Buffer.from('zip'), headers)
  return `S3_ENABLED=true
S3_BUCKET=${OLD.bucket}
S3_REGION=eu-1
S3_ENDPOINT=${endpoint}
S3_ALIAS_HOST=${OLD.host}
AWS_ACCESS_KEY_ID=${accessKeyId}
AWS_SECRET_ACCESS_KEY=${secretAccessKey}
`
}
