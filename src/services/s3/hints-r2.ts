import { CLOCK_REFUSAL } from '../../core/clock.ts'
import { prose, toType } from '../../core/to-type.ts'
import { clockHint, type Hint, type Refused } from './service.ts'

const AGAIN = 'Wait a minute and run this again.'
const BUCKETS = 'https://dash.cloudflare.com/?to=/:account/r2'

const PAUSE: Hint = {
  what: 'R2 asks for a pause.',
  why: 'The same object was written more than once in a second, or there were too many requests.',
  next: AGAIN,
}

/** By the error's name as R2 gives it (Cloudflare docs, r2/api/error-codes). */
const byName: Readonly<Record<string, Hint | ((at: Refused) => Hint)>> = {
  Unauthorized: {
    what: 'R2 does not know the access key.',
    why: 'The cause is AWS_ACCESS_KEY_ID: the key was deleted, its id has a mistake, or it is so new that R2 has not heard of it (up to a minute).',
    next: prose`Wait a minute and run this again. If it stays, AWS_ACCESS_KEY_ID is wrong: it is the id of the API token, 32 characters of 0-9 and a-f. Correct it, or let init make a new key:\n  ${toType('init')}`,
  },
  AccessDenied: ({ bucket }) => ({
    what: `The access key may not do this in the bucket ${bucket}.`,
    why: 'Key and secret are right, and so is the clock. The cause is S3_BUCKET (the key is made for another bucket), or the key itself: it may only read, or is limited to other IP addresses.',
    next: prose`Use a key with Object Read & Write on this bucket, valid for this server's address; or let init make a new key:\n  ${toType('init')}`,
  }),
  SignatureDoesNotMatch: {
    what: 'The secret access key does not fit the access key id.',
    why: "The cause is AWS_SECRET_ACCESS_KEY: R2 knows the id, and the secret is another key's. The secret is the SHA-256 of the API token's value, 64 characters of 0-9 and a-f.",
    next: prose`Check AWS_SECRET_ACCESS_KEY against AWS_ACCESS_KEY_ID, or let init make a new key:\n  ${toType('init')}`,
  },
  NotEntitled: {
    what: 'R2 is not switched on in this Cloudflare account.',
    why: 'It has to be added to the account once, by hand.',
    next: `Open ${BUCKETS}, add R2 to the account, and run this again.`,
  },
  NoSuchBucket: ({ bucket, endpoint }) => ({
    what: `The bucket ${bucket} is not at this endpoint.`,
    why: `The key is right. The cause is S3_BUCKET (no bucket of this name) or S3_ENDPOINT (${jurisdictionOf(endpoint)}).`,
    next: `Check S3_BUCKET and S3_ENDPOINT against the bucket's settings at ${BUCKETS}.`,
  }),
  NoSuchKey: {
    what: 'The object is not in the bucket.',
    why: 'It was never uploaded, or it was deleted.',
    next: 'Run this again. If it stays, something else deletes from this bucket.',
  },
  InvalidRegionName: {
    what: 'R2 does not know the region.',
    why: 'Its region is `auto`; those of other providers mean nothing there.',
    next: 'Set this line in the env file, and run this again:\n  S3_REGION=auto',
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
  TooManyRequests: PAUSE,
  SlowDown: PAUSE,
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

/** Where not even an answer with a body named the cause. */
const NAMELESS: Readonly<Record<number, Hint>> = {
  403: {
    what: 'R2 refused the access key for this bucket.',
    why: "It names no reason. The key belongs to another bucket or another jurisdiction's endpoint, the secret does not fit, or this machine's clock is wrong.",
    next: prose`Check the key, S3_BUCKET and S3_ENDPOINT, and the clock (date); or let init make a new key:\n  ${toType('init')}`,
  },
}

const names: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'NoSuchBucket',
  412: 'PreconditionFailed',
  429: 'TooManyRequests',
  501: 'NotImplemented',
}

/** R2's refusals, and what to do about them. */
export function r2Hint(at: Refused): Hint {
  if (CLOCK_REFUSAL.test(at.name)) return clockHint(at)
  const hint = byName[at.name] ?? NAMELESS[at.status] ?? byName[names[at.status] ?? '']
  if (hint) return typeof hint === 'function' ? hint(at) : hint
  return at.status >= 500 ? TROUBLE : UNKNOWN
}

/** Each endpoint sees the buckets of its own jurisdiction alone (docs, r2/reference/data-location). */
function jurisdictionOf(endpoint: string): string {
  const name = /^https?:\/\/[^./]+\.([a-z-]+)\.r2\.cloudflarestorage\.com/.exec(endpoint)?.[1]
  return name === undefined
    ? 'it has no jurisdiction in its name: buckets of `eu` are at .eu.r2.cloudflarestorage.com'
    : `it is that of the jurisdiction ${name}: other buckets are not there`
}
