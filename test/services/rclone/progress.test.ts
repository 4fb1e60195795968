import { describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { redact } from '../../../src/services/rclone/commands.ts'
import { type RcloneEvent, readLine } from '../../../src/services/rclone/output.ts'
import { type Reason, readReason } from '../../../src/services/rclone/trouble.ts'

const file = { object: 'a/"b<c>é🐘.png', objectType: '*local.Object', source: 'x.go:1' }
const said = (line: unknown) => readLine(JSON.stringify(line))

/** What 1.75.2 says after a SIGTERM. */
const calledOff =
  'Failed to copy: failed to upload chunk 1 with 33554432 bytes: operation error S3: UploadPart, ' +
  'https response error StatusCode: 0, RequestID: , HostID: , canceled, context canceled'

describe('readLine', () => {
  it.each<[string, unknown, RcloneEvent | undefined]>([
    [
      'a new object',
      { level: 'info', msg: 'Copied (new)', ...file },
      { is: 'copied', key: file.object },
    ],
    [
      'one that was there',
      { level: 'info', msg: 'Copied (replaced existing)', ...file },
      { is: 'copied', key: file.object },
    ],
    [
      'a large one of a newer rclone',
      { level: 'info', msg: 'Multi-thread Copied (new)', size: 9, ...file },
      { is: 'copied', key: file.object },
    ],
    [
      'an object given up',
      { level: 'error', msg: 'Failed to copy: AccessDenied: no', ...file },
      { is: 'error', key: file.object, message: 'Failed to copy: AccessDenied: no', final: true },
    ],
    [
      'a fault that may pass',
      { level: 'error', msg: 'Failed to calculate hash', ...file },
      { is: 'error', key: file.object, message: 'Failed to calculate hash', final: false },
    ],
    [
      'a large one under way when rclone is told to end',
      { level: 'error', msg: calledOff, ...file },
      { is: 'error', key: file.object, message: calledOff, final: false },
    ],
    [
      'where it stands',
      { level: 'info', msg: '\nTransferred: 1', stats: { bytes: 12, speed: 3.5, eta: null } },
      { is: 'moving', bytes: 12, speed: 3.5 },
    ],
    [
      'where it stands, without numbers',
      { level: 'warning', msg: '', stats: { bytes: 'x', speed: null } },
      { is: 'moving', bytes: 0, speed: 0 },
    ],
    [
      'a summary',
      { level: 'error', msg: 'Attempt 1/1 failed with 3 errors' },
      { is: 'said', message: 'Attempt 1/1 failed with 3 errors' },
    ],
    [
      'a fault of the bucket as a whole',
      { level: 'error', msg: 'error listing', object: 'S3 bucket x', objectType: '*s3.Fs' },
      { is: 'said', message: 'error listing' },
    ],
    ['a remark', { level: 'info', msg: 'There was nothing to transfer' }, undefined],
    ['a remark on an object', { level: 'info', msg: 'Unchanged skipping', ...file }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_, line, event) => {
    expect(said(line)).toEqual(event)
  })

  it.each<[string, RcloneEvent | undefined]>([
    [
      '2026/11/22 15:03:26 Failed to copy with 2 errors: x',
      { is: 'said', message: '2026/11/22 15:03:26 Failed to copy with 2 errors: x' },
    ],
    [
      '\tstatus code: 403, request id: , host id: ',
      { is: 'said', message: 'status code: 403, request id: , host id:' },
    ],
    ['{"level":"info","msg":"cut o', { is: 'said', message: '{"level":"info","msg":"cut o' }],
    ['', undefined],
    ['   ', undefined],
  ])('%j', (line, event) => {
    expect(readLine(line)).toEqual(event)
  })
})

describe('readReason', () => {
  it.each<[string, Reason]>([
    [
      'Failed to copy: AccessDenied: Access Denied\n\tstatus code: 403, request id: , host id: ',
      { kind: 'refused', text: '403 AccessDenied', status: 403 },
    ],
    [
      'Failed to copy: Unauthorized: Unauthorized\n\tstatus code: 401, request id: ',
      { kind: 'refused', text: '401 Unauthorized', status: 401 },
    ],
    [
      'Failed to copy: NoSuchBucket: The specified bucket does not exist.\n\tstatus code: 404',
      { kind: 'refused', text: '404 NoSuchBucket', status: 404 },
    ],
    [
      'Failed to copy: failed to open source object: NoSuchKey: x\n\tstatus code: 404',
      { kind: 'gone', text: '404 NoSuchKey', status: 404 },
    ],
    [
      'Failed to copy: ServiceUnavailable: x\n\tstatus code: 503',
      { kind: 'remote', text: '503 ServiceUnavailable', status: 503 },
    ],
    [
      'Failed to copy: operation error S3: PutObject, https response error StatusCode: 403, RequestID: , HostID: , api error AccessDenied: Access Denied',
      { kind: 'refused', text: '403 AccessDenied', status: 403 },
    ],
    [
      'Failed to copy: failed to open source object: open /srv/a.png: no such file or directory',
      { kind: 'gone', text: 'gone' },
    ],
    [
      'Failed to copy: failed to open source object: open /srv/a.png: permission denied',
      { kind: 'source', text: 'permission denied' },
    ],
    [
      "Failed to copy: can't copy - source file is being updated (size changed from 1 to 2)",
      { kind: 'source', text: 'it was being written' },
    ],
    [
      'corrupted on transfer: md5 hash differ "e92ebe80" vs "9fc79bfa"',
      { kind: 'source', text: 'it changed while it was copied, or was damaged on the way' },
    ],
    [
      'Failed to copy: RequestError: send request failed\ncaused by: Put "http://127.0.0.1:1/media/a.png": dial tcp 127.0.0.1:1: connect: connection refused',
      { kind: 'remote', text: 'connection refused' },
    ],
    ['Failed to copy: ', { kind: 'source', text: 'rclone gave no reason' }],
    ['Failed to copy: something new', { kind: 'source', text: 'something new' }],
  ])('%j', (message, reason) => {
    expect(readReason(message)).toEqual(reason)
  })

  it('stays short', () => {
    expect(readReason(`Failed to copy: ${'x'.repeat(500)}`).text.length).toBe(120)
  })
})

describe('redact', () => {
  const key = { accessKeyId: 'a'.repeat(32), secretAccessKey: new Secret('s'.repeat(64)) }
  const place = {
    kind: 'bucket',
    endpoint: '',
    bucket: 'b',
    region: 'auto',
    provider: 'Other',
    key,
  } as const
  it.each([
    [`the secret ${'s'.repeat(64)}.`, 'the secret ****.'],
    [`key ${'a'.repeat(32)}`, 'key ****'],
    ['https://x/?X-Amz-Signature=abc123&y=1', 'https://x/?X-Amz-Signature=****&y=1'],
    ['Setting secret_access_key="foreign" for', 'Setting secret_access_key="****" for'],
    ['nothing of the kind', 'nothing of the kind'],
  ])('%j', (text, shown) => {
    expect(redact(text, [{ kind: 'folder', path: '/' }, place])).toBe(shown)
  })
})
