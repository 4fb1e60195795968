import type { ProblemDetails } from '../../core/problem.ts'
import type { WireFailureDetails } from './wire-failure.ts'

type Hint = Pick<ProblemDetails, 'what' | 'why' | 'next' | 'exit'>

const TOKENS = 'https://dash.cloudflare.com/?to=/:account/api-tokens'
const USER_TOKENS = 'https://dash.cloudflare.com/profile/api-tokens'
const EDIT_TOKEN = `Edit the token at ${TOKENS} (a user token: ${USER_TOKENS}), add what is missing, and run this again.`
const NEW_TOKEN = `Copy the token once more, or make a new one at ${TOKENS}, and run this again.`

/**
 * Cloudflare's error numbers, and HTTP statuses where there is no number. The numbers are those of
 * Cloudflare's R2 error page and of the public sources of wrangler; others keep Cloudflare's words.
 */
const hints: Readonly<Record<number, Hint>> = {
  10042: {
    what: 'R2 is not switched on in this Cloudflare account.',
    why: 'It has to be added to the account once, by hand; there is no API for it.',
    next: 'Open https://dash.cloudflare.com/?to=/:account/r2, add R2 to the account, and run this again. It may take a few minutes to be known.',
  },
  9109: {
    what: 'The API token may not do this.',
    why: 'A permission is missing, or the token does not cover this account or zone.',
    next: EDIT_TOKEN,
  },
  10000: {
    what: 'Cloudflare refused the API token.',
    why: 'It is wrong, expired, restricted to other IP addresses, or lacks a permission for this.',
    next: `Look at the token at ${TOKENS} (a user token: ${USER_TOKENS}): status, expiry, IP filter and permissions. Then run this again.`,
  },
  9106: {
    what: 'Cloudflare did not recognise the API token.',
    why: 'A part of it may be missing, or it is not an API token.',
    next: NEW_TOKEN,
    exit: 2,
  },
  1000: {
    what: 'The API token is not valid.',
    why: 'It was mistyped, cut short, rolled or deleted.',
    next: NEW_TOKEN,
    exit: 2,
  },
  1001: {
    what: 'Cloudflare refused this to the API token.',
    why: 'The call is not open to this kind of token, or the token asks for more than it has.',
    next: EDIT_TOKEN,
  },
  1011: {
    what: 'Cloudflare refuses account-owned tokens here.',
    why: 'This call is open to user tokens alone.',
    next: `Make a user token at ${USER_TOKENS} and run this again with it.`,
  },
  7003: {
    what: 'Cloudflare does not know this account or zone.',
    why: 'An id in the call is malformed. An account id is 32 characters of 0-9 and a-f.',
    next: 'Copy the account id from the dashboard (https://dash.cloudflare.com/?to=/:account/r2, right column), and run this again with --account-id.',
    exit: 2,
  },
  10004: {
    what: 'A bucket of this name already exists.',
    why: 'Bucket names are unique within an account and a jurisdiction.',
    next: 'Run this again: the bucket is then found and used. Or choose another name with --bucket.',
  },
  10005: {
    what: "Cloudflare refuses the bucket's name.",
    why: 'A name has 3 to 63 characters: a-z, 0-9 and -, with no - at either end.',
    next: 'Run this again with another name: --bucket NAME.',
    exit: 2,
  },
  10006: {
    what: 'The bucket does not exist.',
    why: 'It was deleted, or it lies in another account or another jurisdiction.',
    next: 'Check --bucket, --account-id and --jurisdiction, and run this again.',
  },
  10008: {
    what: 'The bucket is not empty, so it stays.',
    why: 'It holds objects, or uploads that were never finished (those end after 7 days).',
    next: 'Look into the bucket at https://dash.cloudflare.com/?to=/:account/r2. Nothing in it was touched.',
  },
  10009: {
    what: 'The account has as many buckets as it may have.',
    why: 'Cloudflare refuses another one.',
    next: 'Delete a bucket that is not needed at https://dash.cloudflare.com/?to=/:account/r2, or use one that exists with --bucket NAME.',
  },
  10073: {
    what: "The bucket's name is being used by another operation.",
    why: 'It already exists, or it is being made or deleted at this moment.',
    next: 'Wait a minute and run this again, or choose another name with --bucket.',
  },
  429: {
    what: 'Cloudflare asks for a pause: too many calls.',
    why: 'It allows 1,200 calls in 5 minutes to one user, over the dashboard and all tokens together.',
    next: 'Wait 5 minutes and run this again. What was done stays done.',
  },
}

const SERVER_TROUBLE: Hint = {
  what: 'Cloudflare has trouble of its own.',
  why: 'Its API answered with an error several times.',
  next: 'See https://www.cloudflarestatus.com, wait some minutes and run this again. What was done stays done.',
}

const UNKNOWN: Hint = {
  what: 'Cloudflare refused a call.',
  why: 'This tool does not know the reason.',
  next: "Search for the error number at https://developers.cloudflare.com/r2/api/error-codes/, put it right and run this again. Cloudflare's support asks for the ray id.",
}

/** The number that a refusal goes by: 429 and 5xx by status, the rest by Cloudflare's own number. */
export function numberOf({ status = 0, errors }: WireFailureDetails): number {
  if (status === 429 || status >= 500) return status
  return errors.find(({ code }) => hints[code])?.code ?? (errors[0]?.code || status)
}

/** A refusal in words: code `cloudflare-<number>`, Cloudflare's own message and ray id kept. */
export function explain(failure: WireFailureDetails): ProblemDetails {
  const number = numberOf(failure)
  const hint = hints[number] ?? (number >= 500 && number < 600 ? SERVER_TROUBLE : UNKNOWN)
  return { ...hint, code: `cloudflare-${number}`, why: `${hint.why} ${quote(failure)}` }
}

function quote({ method, path, status, errors, rayId }: WireFailureDetails): string {
  const ray = rayId === undefined ? '' : `, ray ${rayId}`
  const call = `(${method} ${path.split('?')[0]}: HTTP ${status}${ray})`
  const said = errors
    .map(({ code, message }) => `${code} ${tidy(message)}`.trim())
    .join('; ')
    .slice(0, 400)
  return said === '' ? `Cloudflare gave no reason ${call}.` : `Cloudflare says: ${said} ${call}.`
}

/** One line, nothing that could steer a terminal, and no closing full stop. */
function tidy(message: string): string {
  return message
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .replace(/\.$/, '')
}
