import type { IncomingMessage } from 'node:http'
import { S3Error } from './s3-error.ts'

/** A path-style S3 request, taken apart. */
export interface S3Request {
  readonly method: string
  /** As sent, still encoded. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Lower-case name → values joined by a comma. */
  readonly headers: ReadonlyMap<string, string>
  /** Empty at the root. */
  readonly bucket: string
  /** Undefined when the request is about the bucket. */
  readonly key: string | undefined
}

/** Throws S3Error when path or query can't be decoded. */
export function readS3Request(message: IncomingMessage): S3Request {
  const [path = '/', rawQuery = ''] = splitOnce(message.url ?? '/', '?')
  const [bucket = '', rawKey] = splitOnce(path.slice(1), '/')
  const key = rawKey === undefined || rawKey === '' ? undefined : decode(rawKey)
  if (key?.split('/').some((part) => part === '.' || part === '..')) {
    throw new S3Error('InvalidObjectName')
  }
  return {
    method: message.method ?? 'GET',
    path,
    query: readQuery(rawQuery),
    headers: readHeaders(message.rawHeaders),
    bucket: decode(bucket),
    key,
  }
}

/** The first value of a query parameter; undefined when it is not there. */
export function queryValue(request: Pick<S3Request, 'query'>, name: string): string | undefined {
  return request.query.find(([known]) => known === name)?.[1]
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error('InvalidArgument', 'The address is not valid percent-encoding.')
  }
}

function readQuery(raw: string): (readonly [string, string])[] {
  return raw
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = splitOnce(pair, '=')
      return [decode(name.replaceAll('+', ' ')), decode(value.replaceAll('+', ' '))] as const
    })
}

function readHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    const value = raw[index + 1] ?? ''
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before},${value}`)
  }
  return headers
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
