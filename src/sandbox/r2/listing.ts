import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { ListedObject, ListObjects } from '../api/request.ts'
import { listedKeys } from '../api/slurper-run.ts'
import type { SandboxBucket, SandboxToken, World } from '../world.ts'
import { allows, grantsOf } from './authorize.ts'
import type { EmulatorPool } from './emulator.ts'
import { escapeXml } from './s3-request.ts'

/** The XML answer to ListBuckets: those of one jurisdiction that the token administers. */
export function listBuckets(world: World, token: SandboxToken, jurisdiction: string): string {
  const grants = grantsOf(token)
  const buckets = world.buckets
    .filter((bucket) => bucket.jurisdiction === jurisdiction)
    .filter(({ accountId, name }) =>
      allows(
        grants,
        { account: accountId, jurisdiction, bucket: name },
        { write: false, admin: true },
      ),
    )
    .map(
      ({ name, createdAt }) =>
        `<Bucket><Name>${escapeXml(name)}</Name>` +
        `<CreationDate>${new Date(createdAt).toISOString()}</CreationDate></Bucket>`,
    )
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Buckets>${buckets.join('')}</Buckets></ListAllMyBucketsResult>`
  )
}

/** A page of S3's listing holds this many keys at most. */
const PAGE = 1000

/** Objects of a bucket in the order of their keys; starts no emulator just to find nothing. */
export async function listObjects(
  pool: EmulatorPool,
  bucket: SandboxBucket,
  { prefix, perPage, startAfter }: Parameters<ListObjects>[1],
): Promise<ListedObject[]> {
  if (!pool.started) return []
  const query: [string, string][] = [
    ['list-type', '2'],
    ['encoding-type', 'url'],
    ['max-keys', String(Math.min(perPage, PAGE))],
    ['prefix', prefix],
  ]
  if (startAfter !== undefined) query.push(['start-after', startAfter])
  const slot = await pool.slotOf(bucket)
  const upstream = await pool.s3(slot, { method: 'GET', key: undefined, query, headers: {} })
  const [answer] = (await once(upstream.end(), 'response')) as [IncomingMessage]
  const xml = await text(answer)
  if (answer.statusCode !== 200) throw new Error(`The emulator answered ${answer.statusCode}.`)
  const found = listedKeys(xml)
  const last = found.at(-1)
  if (perPage <= PAGE || found.length < PAGE || !last) return found
  const rest = { prefix, perPage: perPage - PAGE, startAfter: last.key }
  return [...found, ...(await listObjects(pool, bucket, rest))]
}
