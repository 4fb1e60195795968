import { once } from 'node:events'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { awsEncode } from './authenticate.ts'
import { headersForEmulator } from './body.ts'
import type { EmulatorPool } from './emulator.ts'
import { queryValue, S3Error, type S3Request } from './s3-request.ts'

/** What the emulator forgets once an upload in parts is complete: how long each of them was. */
export interface PartSizes {
  uploaded(uploadId: string, part: number, bytes: number): void
  /** `etag` as in the answer to CompleteMultipartUpload. */
  completed(uploadId: string, etag: string): void
  /** One part where it was one PUT, and where the parts of an upload are not known. */
  of(etag: string, bytes: number): readonly number[]
}

export function createPartSizes(): PartSizes {
  const uploads = new Map<string, Map<number, number>>()
  const objects = new Map<string, readonly number[]>()
  return {
    uploaded(uploadId, part, bytes) {
      uploads.set(uploadId, (uploads.get(uploadId) ?? new Map()).set(part, bytes))
    },
    completed(uploadId, etag) {
      const parts = [...(uploads.get(uploadId) ?? [])].sort(([one], [other]) => one - other)
      objects.set(
        etag,
        parts.map(([, bytes]) => bytes),
      )
      uploads.delete(uploadId)
    },
    of(etag, bytes) {
      const known = objects.get(etag) ?? []
      const sum = known.reduce((total, size) => total + size, 0)
      return known.length > 0 && sum === bytes ? known : [bytes]
    },
  }
}

/** The bytes of one part, and what R2 says about it besides. */
export interface PartRead {
  /** For the Range header; undefined where there is no object, or not a byte in it. */
  readonly range: string | undefined
  readonly headers: OutgoingHttpHeaders
}

/** GET or HEAD of one part, as aws-sdk-s3 reads what was uploaded in parts. */
export function asksForPart(request: S3Request): boolean {
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const isOfUpload = queryValue(request, 'uploadId') !== undefined
  return isRead && !isOfUpload && queryValue(request, 'partNumber') !== undefined
}

/**
 * Finds the part that a request asks for (Cloudflare docs, r2/api/s3/api: GetObject, PartNumber; the
 * answer's form is S3's, API_HeadObject). Nothing is found where the object can't be read: the request
 * itself will tell. Throws S3Error.
 */
export async function findPart(
  { pool, slot, sizes }: { pool: EmulatorPool; slot: string; sizes: PartSizes },
  request: S3Request,
): Promise<PartRead> {
  const asked = queryValue(request, 'partNumber') ?? ''
  const part = /^\d{1,5}$/.test(asked) ? Number(asked) : 0
  if (part < 1 || part > 10_000) throw new S3Error('InvalidArgument', 'The part number is not one.')
  if (request.headers.has('range')) {
    throw new S3Error('InvalidRequest', 'A range and a part number exclude each other.')
  }
  const upstream = await pool.s3(slot, {
    method: 'HEAD',
    key: request.key?.split('/').map(awsEncode).join('/'),
    query: [],
    headers: headersForEmulator(request.headers),
  })
  const [{ statusCode, headers }] = (await once(upstream.end(), 'response')) as [IncomingMessage]
  if (statusCode !== 200) return { range: undefined, headers: {} }
  const total = Number(headers['content-length'] ?? 0)
  const all = sizes.of(headers.etag ?? '', total)
  const size = all[part - 1]
  if (size === undefined) throw new S3Error('InvalidRange')
  const count = /-\d+"$/.test(headers.etag ?? '') ? { 'x-amz-mp-parts-count': all.length } : {}
  if (size === 0) return { range: undefined, headers: count }
  const first = all.slice(0, part - 1).reduce((sum, bytes) => sum + bytes, 0)
  const last = first + size - 1
  return {
    range: `bytes=${first}-${last}`,
    headers: {
      ...count,
      'content-length': size,
      'content-range': `bytes ${first}-${last}/${total}`,
    },
  }
}
