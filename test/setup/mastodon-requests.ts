/**
 * What a real Mastodon sends to its storage, as it was seen on the wire. For the next version: record
 * the same acts there, put the differences in here, and let the test say what the probe lacks.
 */
export const recordedOn = {
  mastodon: '4.6.5',
  date: '2026-11',
  gems: 'aws-sdk-s3 1.228.1, aws-sdk-core 3.254.0, kt-paperclip 7.3.0',
  settings: 'S3_PERMISSION empty, S3_ENDPOINT set (path style)',
}

export interface RecordedRequest {
  /** What Mastodon does when it sends this. */
  readonly act: string
  readonly method: string
  /** Names of the query's parameters, sorted; with the value where it is always the same. */
  readonly query: readonly string[]
  /** Lower-case; `*` for a value that differs each time. */
  readonly headers: Readonly<Record<string, string>>
  /** Headers that are not sent. */
  readonly without: readonly string[]
}

const stored = {
  'cache-control': 'public, max-age=315576000, immutable',
  'content-type': '*',
}
const summed = { 'x-amz-checksum-crc32': '*', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
const expecting = { expect: '100-continue' }

export const recorded: readonly RecordedRequest[] = [
  {
    act: 'upload',
    method: 'PUT',
    query: [],
    headers: { ...stored, ...summed, ...expecting },
    without: ['x-amz-acl', 'content-md5', 'x-amz-trailer', 'content-encoding'],
  },
  {
    act: 'begin an upload in parts',
    method: 'POST',
    query: ['uploads'],
    headers: { ...stored, 'x-amz-checksum-algorithm': 'CRC32' },
    without: ['x-amz-acl'],
  },
  {
    act: 'upload a part of 5 MiB',
    method: 'PUT',
    query: ['partNumber', 'uploadId'],
    headers: { ...summed, ...expecting },
    without: ['content-md5', 'x-amz-trailer', 'content-encoding'],
  },
  {
    act: 'complete an upload in parts',
    method: 'POST',
    query: ['uploadId'],
    headers: { 'x-amz-mp-object-size': '*' },
    without: [],
  },
  {
    act: 'begin a download',
    method: 'HEAD',
    query: ['partNumber=1'],
    headers: {},
    without: ['x-amz-checksum-mode', 'range'],
  },
  {
    act: 'download',
    method: 'GET',
    query: [],
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
    without: [],
  },
  {
    act: 'download a part of what was uploaded in parts',
    method: 'GET',
    query: ['partNumber'],
    headers: { 'x-amz-checksum-mode': 'ENABLED', 'if-match': '*' },
    without: ['range'],
  },
  { act: 'look at an object', method: 'HEAD', query: [], headers: {}, without: ['range'] },
  { act: 'delete', method: 'DELETE', query: [], headers: {}, without: [] },
  {
    act: 'delete many',
    method: 'POST',
    query: ['delete'],
    headers: { 'x-amz-checksum-crc32': '*' },
    without: ['content-md5'],
  },
]

/** What the probe leaves out on purpose, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  expect: 'R2 sends no 100 Continue: nothing but a wait for it would be tried',
}
