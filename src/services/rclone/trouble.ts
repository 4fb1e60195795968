import { CLOCK_REFUSAL, setClock } from '../../core/clock.ts'
import { Problem } from '../../core/problem.ts'
import { asRoot, prose, toType } from '../../core/to-type.ts'
import type { BucketPlace, CopyBatch } from './port.ts'

/** Why an object was not copied. */
export interface Reason {
  /**
   * `refused`: 401, 403 or 404 of the bucket. `remote`: network or server. `slow`: the service asks for
   * less. `source`: this file. `unreadable`: this object of a source bucket is refused.
   */
  readonly kind: 'refused' | 'gone' | 'remote' | 'slow' | 'source' | 'unreadable'
  /** A few words, e.g. `403 AccessDenied`. */
  readonly text: string
  readonly status?: number
  /** It came of reading the source, not of the upload. */
  readonly atSource?: true
}

/** Refusals that are about the key or the bucket, whichever object was asked for. */
const OF_ALL =
  /^(InvalidAccessKeyId|SignatureDoesNotMatch|NoSuchBucket|ExpiredToken|InvalidToken|AuthorizationHeaderMalformed|PermanentRedirect)$/
const SLOW = /^(SlowDown|TooManyRequests|RequestLimitExceeded)$/

/** By the clock of this machine, which may be wrong. */
const WRONG_TIME = "its certificate is of another time than this machine's clock"

const NETWORK: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, 'connection refused'],
  [/no such host/i, 'the name of the server is not known'],
  [/connection reset|broken pipe|\bEOF\b/i, 'the connection broke'],
  [/i\/o timeout|deadline exceeded|Client\.Timeout|TLS handshake timeout/i, 'no answer in time'],
  // Go's crypto/x509 has one sentence for both.
  [/certificate has expired or is not yet valid/i, WRONG_TIME],
  [/x509|certificate/i, 'the certificate of the server is not trusted'],
  [/network is unreachable|no route to host/i, 'the network is not reachable'],
]

/** Why a file could not be written: the next one would fare no better. */
export const DISK_FULL = 'the disk is full'

const SOURCE: readonly (readonly [RegExp, string])[] = [
  [/permission denied/i, 'permission denied'],
  [/source file is being updated/i, 'it was being written'],
  [/too many open files/i, 'too many open files'],
  [/input\/output error/i, 'the disk could not read it'],
  [/no space left|quota exceeded/i, DISK_FULL],
  [/read-only file system/i, 'the disk is read-only'],
  [/corrupted on transfer/i, 'it changed while it was copied, or was damaged on the way'],
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
  const side = /failed to open source object/i.test(words) ? { atSource: true as const } : {}
  if (status >= 300) {
    const text = [status, name].filter((part) => part !== undefined).join(' ')
    return { kind: kindOf(status, name, side.atSource === true), text, status, ...side }
  }
  // rclone's own words for InvalidObjectState (backend/s3, Open).
  if (/Object in GLACIER/i.test(words)) {
    return { kind: 'unreadable', text: 'archived (Glacier), to be restored first', atSource: true }
  }
  if (/no such file or directory/i.test(words)) return { kind: 'gone', text: 'gone' }
  const source = SOURCE.find(([pattern]) => pattern.test(words))
  if (source) return { kind: 'source', text: source[1] }
  const network = NETWORK.find(([pattern]) => pattern.test(words))
  if (network) return { kind: 'remote', text: network[1], ...side }
  return { kind: 'source', text: words.slice(0, LONGEST) || 'rclone gave no reason' }
}

function kindOf(status: number, name: string | undefined, atSource: boolean): Reason['kind'] {
  if (status === 429 || SLOW.test(name ?? '')) return 'slow'
  const isOfAll = status === 401 || OF_ALL.test(name ?? '') || CLOCK_REFUSAL.test(name ?? '')
  if (atSource && [403, 404].includes(status) && !isOfAll) return 'unreadable'
  return isOfAll || [403, 404].includes(status) ? 'refused' : 'remote'
}

type Sides = Pick<CopyBatch, 'from' | 'to'>

/** The bucket that a reason came of. */
function bucketOf({ from, to }: Sides, { atSource }: Reason): BucketPlace {
  const [first, second] = atSource === true ? [from, to] : [to, from]
  const bucket = first.kind === 'bucket' ? first : second
  if (bucket.kind !== 'bucket') throw new Error('No side of a copy is a bucket.')
  return bucket
}

/** As the person calls the service that a reason came of. */
export function serviceOf(sides: Sides, reason: Reason): string {
  return bucketOf(sides, reason).service ?? 'R2'
}

/** A bucket refuses object after object: the one that is copied to, or the one that is read. */
export function refused(sides: Sides, reason: Reason): Problem {
  const { text } = reason
  const { bucket } = bucketOf(sides, reason)
  const service = serviceOf(sides, reason)
  const isRead = bucketOf(sides, reason) !== sides.to
  const what = isRead ? 'to be read' : 'the uploads'
  const isClock = text.split(' ').some((word) => CLOCK_REFUSAL.test(word))
  const check = isClock
    ? prose`Set the clock:\n  ${setClock}`
    : service !== 'R2'
      ? `Look at the AWS_* and S3_* lines of ${service}${isRead ? ' in the env file' : ''}, and at the key in the console of ${service}.`
      : prose`To see what is wrong:\n  ${toType('check')}`
  return new Problem({
    code: 'rclone-refused',
    what: `The bucket ${bucket} at ${service} refuses ${what} (${text}); the copy was stopped.`,
    why: isClock ? "This machine's clock is wrong." : whyOf(bucket, service, reason),
    next: prose`${check}\n  What was copied stays copied; run this again to go on.`,
  })
}

function whyOf(bucket: string, service: string, { status, kind, text }: Reason): string {
  if (kind === 'unreadable') {
    return `The access key may list the bucket, and not read its objects (s3:GetObject): not one of those that were asked for could be read.`
  }
  if (/PermanentRedirect|AuthorizationHeaderMalformed/.test(text)) {
    return `The bucket is in another region of ${service} than S3_REGION says.`
  }
  if (status === 401 || /InvalidAccessKeyId/.test(text)) {
    return `${service} does not know the access key (any more): it was revoked or has expired, or its id is wrong.`
  }
  if (/SignatureDoesNotMatch/.test(text))
    return 'The secret is wrong: it does not fit the access key id.'
  if (status === 404) {
    return service === 'R2'
      ? `There is no bucket ${bucket} at this endpoint: it was deleted, or lies in another jurisdiction.`
      : `There is no bucket ${bucket} at this endpoint: it was deleted, or lies in another region or account.`
  }
  return 'The access key is wrong, may not do this in the bucket, or was revoked.'
}

/** rclone ended without doing its work. `words`: the last that it said. */
export function failed(exitCode: number | undefined, words: readonly string[]): Problem {
  if (exitCode === undefined) {
    return new Problem({
      code: 'rclone-stopped',
      what: 'rclone was ended in the middle of its work.',
      why: prose`Somebody or the system did so; the latter when memory runs short (see: ${asRoot('dmesg | tail')}).`,
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
export function unreachable(sides: Sides, reason: Reason): Problem {
  const { endpoint } = bucketOf(sides, reason)
  const service = serviceOf(sides, reason)
  const page =
    service === 'R2' ? 'https://www.cloudflarestatus.com/' : `the status page of ${service}`
  return new Problem({
    code: 'rclone-cut-off',
    what: `Nothing gets through to ${service} any more (${endpoint}: ${reason.text}); the copy was stopped.`,
    why:
      reason.text === WRONG_TIME
        ? "Each object was tried ten times. This machine's clock is wrong, or the certificate has ended."
        : 'Each object was tried ten times. The network, or the service, has a disturbance.',
    next:
      reason.text === WRONG_TIME
        ? prose`If it is the clock (see: date), set it, then run this again to go on:\n  ${setClock}`
        : `See ${page}, then run this again to go on.`,
  })
}

/** It was waited for, and gone on with less and less. */
export function stillTooFast(sides: Sides, reason: Reason): Problem {
  const service = serviceOf(sides, reason)
  return new Problem({
    code: 'rclone-slowed-down',
    what: `${service} keeps asking to go on more slowly (${reason.text}); the copy was stopped.`,
    why: 'It was waited for several times, and went on with fewer and fewer at a time.',
    next: 'What was copied stays copied. Run this again in an hour or so, with fewer at a time: --transfers 4',
  })
}
