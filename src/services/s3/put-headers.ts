import type { ObjectCannedACL } from '@aws-sdk/client-s3'
import type { PutOptions } from './port.ts'

/** What an object is stored with, as the SDK names it. */
export function headersOf(wish: PutOptions) {
  const acl = wish.acl === undefined ? {} : { ACL: wish.acl as ObjectCannedACL }
  return {
    ContentType: wish.contentType,
    CacheControl: wish.cacheControl,
    ...acl,
    ...checksumOf(wish),
  }
}

/** Of a part, too. */
export function checksumOf({ checksum }: PutOptions) {
  return checksum === undefined ? {} : { ChecksumAlgorithm: checksum }
}
