import type { SandboxToken, World } from '../world.ts'
import { allows, grantsOf } from './grants.ts'
import { escapeXml } from './s3-error.ts'

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
