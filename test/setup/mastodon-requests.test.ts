import { beforeAll, describe, expect, it } from 'vitest'
import { probeUploads } from '../../src/setup/proof.ts'
import { type Received, type Reply, startS3Stub } from '../services/s3/s3-stub.ts'
import { leftOut, type RecordedRequest, recorded, recordedOn } from './mastodon-requests.ts'

const MIB = 1_048_576
const PART = 5 * MIB

/** Enough of S3 to read back what was put, by parts and by ranges, with the count of the parts. */
function bucketOf() {
  const objects = new Map<string, { parts: Buffer[]; headers: Record<string, string> }>()
  const uploads: Buffer[] = []
  return (request: Received): Reply => {
    const { method, path, query, headers, body } = request
    const kept = Object.fromEntries(
      ['content-type', 'cache-control'].map((name) => [name, String(headers[name] ?? '')]),
    )
    if (method === 'PUT' && query.has('uploadId'))
      uploads[Number(query.get('partNumber')) - 1] = body
    else if (method === 'PUT') objects.set(path, { parts: [body], headers: kept })
    if (method === 'PUT') return { status: 200, headers: { etag: '"e"' } }
    if (method === 'POST' && query.has('uploads')) {
      objects.set(path, { parts: uploads, headers: kept })
      return answer(
        '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
      )
    }
    if (method === 'POST' && query.has('uploadId')) {
      return answer(
        '<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>',
      )
    }
    if (method === 'POST') {
      for (const key of [...objects.keys()])
        if (body.includes(key.replace('/media/', ''))) objects.delete(key)
      return answer('<DeleteResult></DeleteResult>')
    }
    if (method === 'DELETE') objects.delete(path)
    if (query.has('list-type')) {
      const keys = [...objects.keys()].map(
        (key) => `<Contents><Key>${key.slice(7)}</Key></Contents>`,
      )
      return answer(`<ListBucketResult>${keys.join('')}</ListBucketResult>`)
    }
    const found = objects.get(path)
    if (method === 'DELETE' || !found) return { status: method === 'DELETE' ? 204 : 200 }
    return read(request, found)
  }
}

function answer(text: string): Reply {
  return { status: 200, text, headers: { 'content-type': 'application/xml' } }
}

type Stored = { parts: Buffer[]; headers: Record<string, string> }

function read({ method, query, headers }: Received, { parts, headers: kept }: Stored): Reply {
  const whole = Buffer.concat(parts)
  const part = query.get('partNumber')
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
  const bytes =
    part !== null
      ? (parts[Number(part) - 1] ?? Buffer.alloc(0))
      : first !== undefined
        ? whole.subarray(Number(first), Number(last) + 1)
        : whole
  const count = parts.length > 1 ? { 'x-amz-mp-parts-count': String(parts.length) } : {}
  const told = { ...kept, ...count, etag: '"e"', 'content-length': String(bytes.length) }
  const status = part !== null || first !== undefined ? 206 : 200
  return method === 'HEAD' ? { status, headers: told } : { status, headers: told, text: bytes }
}

let received: readonly Received[] = []

beforeAll(async () => {
  await using stub = await startS3Stub(bucketOf())
  await probeUploads(stub.client, 'name', { single: false })
  received = stub.received
})

function fits(request: Received, { method, query, headers, without }: RecordedRequest): boolean {
  const asked = [...request.query]
    .filter(([name]) => name !== 'x-id')
    .map(([name, value]) => (query.includes(`${name}=${value}`) ? `${name}=${value}` : name))
  return (
    request.method === method &&
    asked.sort().join() === query.join() &&
    without.every((name) => request.headers[name] === undefined) &&
    Object.entries(headers).every(([name, value]) => {
      if (leftOut[name] !== undefined) return request.headers[name] === undefined
      const sent = request.headers[name]
      return value === '*' ? sent !== undefined : sent === value
    })
  )
}

describe(`the probe beside Mastodon ${recordedOn.mastodon} (${recordedOn.date})`, () => {
  it.each(recorded.map((row) => [row.act, row] as const))(
    'sends what Mastodon does to %s',
    (_, row) => {
      const found = received.filter((request) => fits(request, row))
      expect(found.length, `${row.method} ${row.query.join('&')}`).toBeGreaterThan(0)
    },
  )

  it('sends parts of 5 MiB, and their sum with the last request', () => {
    const parts = received.filter(({ method, query }) => method === 'PUT' && query.has('uploadId'))
    expect(parts.map(({ body }) => body.length).sort()).toEqual([1024, PART])
    const done = received.find(({ headers }) => headers['x-amz-mp-object-size'] !== undefined)
    expect(done?.headers['x-amz-mp-object-size']).toBe(String(PART + 1024))
  })

  it('sends the same HEAD for each of its downloads', () => {
    const downloads = received.filter(({ headers }) => headers['x-amz-checksum-mode'] === 'ENABLED')
    for (const { path } of downloads) {
      const heads = received.filter((other) => other.path === path && other.method === 'HEAD')
      expect(heads.map(({ query }) => query.get('partNumber'))).toContain('1')
    }
    expect(downloads.length).toBeGreaterThan(2)
  })
})
