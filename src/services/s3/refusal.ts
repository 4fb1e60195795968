import { Problem } from '../../core/problem.ts'

interface Hint {
  readonly what: string
  readonly why: string
  readonly next: string
}

interface Undeleted {
  readonly Key?: string | undefined
  readonly Code?: string | undefined
  readonly Message?: string | undefined
}

interface Place {
  readonly bucket: string
  readonly endpoint: string
}

const AGAIN = 'Wait a minute and run this again.'

/** By the error's name as R2 gives it (Cloudflare docs, r2/api/error-codes). */
const byName: Readonly<Record<string, Hint>> = {
  Unauthorized: {
    what: 'R2 does not know the access key.',
    why: 'It was deleted, its id has a mistake, or it is so new that R2 has not heard of it (up to a minute).',
    next: 'Wait a minute and run this again. If it stays, AWS_ACCESS_KEY_ID is wrong: it is the id of the API token, 32 characters of 0-9 and a-f.',
  },
  AccessDenied: {
    what: 'The access key may not do this in the bucket.',
    why: 'It belongs to another bucket, may only read, or is limited to other IP addresses.',
    next: "Use a key with Object Read & Write on this bucket, valid for this server's address; or let init make one.",
  },
  SignatureDoesNotMatch: {
    what: 'The secret access key does not fit the access key id.',
    why: "One of the two was copied from another key. The secret is the SHA-256 of the API token's value, 64 characters of 0-9 and a-f.",
    next: 'Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY against each other, or let init make a new key.',
  },
  RequestTimeTooSkewed: {
    what: "This machine's clock is wrong.",
    why: 'R2 refuses requests that are more than 15 minutes off.',
    next: 'Set the clock (`timedatectl set-ntp true`), and run this again.',
  },
  ExpiredRequest: {
    what: 'R2 says that the request is too old.',
    why: "This machine's clock is wrong, or the connection is very slow.",
    next: 'Set the clock (`timedatectl set-ntp true`), and run this again.',
  },
  NotEntitled: {
    what: 'R2 is not switched on in this Cloudflare account.',
    why: 'It has to be added to the account once, by hand.',
    next: 'Open https://dash.cloudflare.com/?to=/:account/r2, add R2 to the account, and run this again.',
  },
  NoSuchBucket: {
    what: 'The bucket is not at this endpoint.',
    why: 'Its name is wrong, or it was made in a jurisdiction: then the endpoint has the jurisdiction in its name, such as .eu.r2.cloudflarestorage.com.',
    next: "Check S3_BUCKET and S3_ENDPOINT against the bucket's settings at https://dash.cloudflare.com/?to=/:account/r2.",
  },
  NoSuchKey: {
    what: 'The object is not in the bucket.',
    why: 'It was never uploaded, or it was deleted.',
    next: 'Run this again. If it stays, something else deletes from this bucket.',
  },
  NotImplemented: {
    what: 'R2 does not know a part of the request.',
    why: 'A header or a parameter is not supported, such as an ACL.',
    next: "Check that S3_ENDPOINT is R2's address, without anything after the host name. If it is, please report this.",
  },
  PreconditionFailed: {
    what: 'Somebody else changed the object at the same time.',
    why: 'The request was bound to a state that the object no longer has.',
    next: 'Run this again.',
  },
  TooManyRequests: {
    what: 'R2 asks for a pause.',
    why: 'The same object was written more than once in a second, or there were too many requests.',
    next: AGAIN,
  },
}

/** For answers that name nothing: those to HEAD have no body. */
const byStatus: Readonly<Record<number, Hint | undefined>> = {
  401: byName.Unauthorized,
  403: {
    what: 'R2 refused the access key for this bucket.',
    why: "The key belongs to another bucket or another jurisdiction's endpoint, the secret does not fit, or this machine's clock is wrong.",
    next: 'Check the key, S3_BUCKET and S3_ENDPOINT, and the clock (`date`); or let init make a new key.',
  },
  404: byName.NoSuchBucket,
  412: byName.PreconditionFailed,
  429: byName.TooManyRequests,
  501: byName.NotImplemented,
}

const TROUBLE: Hint = {
  what: 'R2 has trouble of its own.',
  why: 'It answered with an error several times.',
  next: 'See https://www.cloudflarestatus.com, and run this again later.',
}

const UNKNOWN: Hint = {
  what: 'R2 refused a request.',
  why: 'This tool does not know the reason.',
  next: 'Look the name up at https://developers.cloudflare.com/r2/api/error-codes/, put it right and run this again.',
}

/** What the SDK threw, for a person. Only name, message and status of it are kept. */
export function toProblem(error: unknown, place: Place): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error
  const { $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  const status = $metadata?.httpStatusCode
  if (status === undefined) return isNetwork(error) ? unreachable(error, place) : error
  if (status < 300) return damaged(place)
  const hint = byName[error.name] ?? byStatus[status] ?? (status >= 500 ? TROUBLE : UNKNOWN)
  const why = `${hint.why} R2 says: ${quote(error)} (HTTP ${status}, bucket ${place.bucket} at ${place.endpoint}).`
  return new Problem({ ...hint, code: `s3-${status}`, why })
}

/** DeleteObjects answers 200 and lists what it could not do. */
export function notDeleted(
  count: number,
  { Key = '', Code = '', Message = '' }: Undeleted,
): Problem {
  const denied = Code === 'AccessDenied'
  return new Problem({
    code: denied ? 's3-403' : 's3-damaged',
    what: `R2 did not delete ${count === 1 ? 'an object' : `${count} objects`}.`,
    why: `For ${Key} it says: ${Code} ${Message}`.trim(),
    next: denied ? (byName.AccessDenied?.next ?? AGAIN) : AGAIN,
  })
}

function quote({ name, message }: Error): string {
  const text = message === name || message === '' ? name : `${name}: ${message}`
  return text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .replace(/\.$/, '')
    .slice(0, 300)
}

function isNetwork(error: Error): boolean {
  return error.name === 'TimeoutError' || typeof (error as NodeJS.ErrnoException).code === 'string'
}

function unreachable(error: Error, { endpoint }: Place): Problem {
  const { code = 'ETIMEDOUT' } = error as NodeJS.ErrnoException
  return new Problem({
    code: 's3-unreachable',
    what: 'The S3 endpoint could not be reached.',
    why: `${endpoint}: ${code === 'ETIMEDOUT' ? 'no answer in time' : code}.`,
    next: `Try \`curl -I ${endpoint}\` on this machine; once that works, run this again.`,
  })
}

/** The answer was understood as little as if it came from something else. */
export function damaged({ endpoint }: Pick<Place, 'endpoint'>): Problem {
  return new Problem({
    code: 's3-damaged',
    what: 'The S3 endpoint gave an answer that makes no sense.',
    why: `What ${endpoint} sent is not what S3 sends; a proxy may be in between.`,
    next: "Check S3_ENDPOINT and this machine's way to the internet, and run this again.",
  })
}
