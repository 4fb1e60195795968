import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import type { CopyBatch } from './port.ts'

/** Why an object was not copied. */
export interface Reason {
  /** `refused`: 401, 403 or 404 of the bucket. `remote`: network or server. `source`: this file. */
  readonly kind: 'refused' | 'gone' | 'remote' | 'source'
  /** A few words, e.g. `403 AccessDenied`. */
  readonly text: string
  readonly status?: number
  /** The source was refused, not the upload. */
  readonly atSource?: true
}

const NETWORK: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, 'connection refused'],
  [/no such host/i, 'the name of the server is not known'],
  [/connection reset|broken pipe|\bEOF\b/i, 'the connection broke'],
  [/i\/o timeout|deadline exceeded|Client\.Timeout|TLS handshake timeout/i, 'no answer in time'],
  [/x509|certificate/i, 'the certificate of the server is not trusted'],
  [/network is unreachable|no route to host/i, 'the network is not reachable'],
]

const SOURCE: readonly (readonly [RegExp, string])[] = [
  [/permission denied/i, 'permission denied'],
  [/source file is being updated/i, 'it was being written'],
  [/too many open files/i, 'too many open files'],
  [/input\/output error/i, 'the disk could not read it'],
  [/corrupted on transfer/i, 'damaged on the way'],
]

const LONGEST = 120

/** Reads rclone's words about one object. The path, ids and secrets in them are left out. */
export function readReason(message: string): Reason {
  const words = message
    .replace(/^(Failed to copy: )+/, '')
    .replace(/\s+/g, ' ')
    .trim()
  const status = Number(/status ?code: (\d{3})/i.exec(words)?.[1])
  // The first is how releases from 1.68 on say it, with another SDK.
  const name = (/api error (\w+)/.exec(words) ?? /\b([A-Z][A-Za-z]{3,40}): /.exec(words))?.[1]
  if (name === 'NoSuchKey' || /object not found/i.test(words)) {
    return { kind: 'gone', text: '404 NoSuchKey', status: 404 }
  }
  if (status >= 300) {
    const kind = [401, 403, 404].includes(status) ? 'refused' : 'remote'
    const text = [status, name].filter((part) => part !== undefined).join(' ')
    const atSource = /failed to open source object/i.test(words)
    return { kind, text, status, ...(atSource && { atSource }) }
  }
  if (/no such file or directory/i.test(words)) return { kind: 'gone', text: 'gone' }
  const source = SOURCE.find(([pattern]) => pattern.test(words))
  if (source) return { kind: 'source', text: source[1] }
  const network = NETWORK.find(([pattern]) => pattern.test(words))
  if (network) return { kind: 'remote', text: network[1] }
  return { kind: 'source', text: words.slice(0, LONGEST) || 'rclone gave no reason' }
}

/** A bucket refuses object after object: the one that is copied to, or the one that is read. */
export function refused({ from, to }: Pick<CopyBatch, 'from' | 'to'>, reason: Reason): Problem {
  const isRead = reason.atSource === true && from.kind === 'bucket'
  const { bucket } = isRead ? from : to
  const what = isRead ? 'to be read' : 'the uploads'
  const check = isRead
    ? 'Look at the AWS_* and S3_* lines of that provider, and at its console.'
    : prose`To see what is wrong:\n  ${toType('check')}`
  return new Problem({
    code: 'rclone-refused',
    what: `The bucket ${bucket} refuses ${what} (${reason.text}); the copy was stopped.`,
    why: whyOf(bucket, reason),
    next: prose`${check}\n  What was copied stays copied; run this again to go on.`,
  })
}

function whyOf(bucket: string, { status }: Reason): string {
  if (status === 401)
    return 'The access key does not exist (any more): it was revoked or has expired.'
  if (status === 404) {
    return `There is no bucket ${bucket} at this endpoint: it was deleted, or lies in another jurisdiction.`
  }
  return 'The access key is wrong, may not do this in the bucket, or was revoked.'
}

/** rclone ended without doing its work. `words`: the last that it said. */
export function failed(exitCode: number | undefined, words: readonly string[]): Problem {
  if (exitCode === undefined) {
    return new Problem({
      code: 'rclone-failed',
      what: 'rclone was ended in the middle of its work.',
      why: 'Somebody or the system did so; the latter when memory runs short (see: sudo dmesg | tail).',
      next: 'Run this again to go on; if it happens again, with fewer at a time: --transfers 16',
    })
  }
  return new Problem({
    code: 'rclone-failed',
    what: `rclone ended without doing its work (exit code ${exitCode}).`,
    why: words.length === 0 ? 'It did not say why.' : `It said: ${words.join(' ')}`,
    next: 'Put right what it names, then run this again to go on.',
  })
}

/** The server can't be reached, or fails, object after object. */
export function unreachable(endpoint: string, reason: Reason): Problem {
  return new Problem({
    code: 'rclone-failed',
    what: `Nothing gets through to ${endpoint} any more (${reason.text}); the copy was stopped.`,
    why: 'Each object was tried ten times. The network, or the service, has a disturbance.',
    next: 'See https://www.cloudflarestatus.com/, then run this again to go on.',
  })
}
