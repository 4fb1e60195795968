import type { ObjectListResponse } from 'cloudflare/resources/r2/buckets/objects'
import { ok } from './refusal.ts'
import {
  cursorAfter,
  findBucket,
  type Handler,
  type ListedObject,
  queryNumber,
  startAfter,
} from './request.ts'

/** Objects in the order of their keys. Delimiters are not grouped. */
export const listObjects: Handler = async (context, request) => {
  const bucket = findBucket(context, request)
  const perPage = queryNumber(request, 'per_page', 20, 1, 1000)
  const prefix = request.query.get('prefix') ?? ''
  const after = startAfter(request)
  const place = after === undefined ? {} : { startAfter: after }
  const found = await context.listObjects(bucket, { prefix, perPage: perPage + 1, ...place })
  const shown = found.slice(0, perPage)
  const last = shown.at(-1)
  const isTruncated = found.length > perPage
  const cursor = isTruncated && last ? { cursor: cursorAfter(last.key) } : {}
  const info = { per_page: perPage, is_truncated: isTruncated, ...cursor }
  return ok<ObjectListResponse[]>(shown.map(describe), { info })
}

function describe({ key, size, etag, uploadedAt }: ListedObject): ObjectListResponse {
  const last_modified = new Date(uploadedAt).toISOString()
  return { key, size, etag, last_modified, storage_class: 'Standard', http_metadata: {} }
}
