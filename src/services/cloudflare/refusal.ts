import { clockTrouble } from '../../core/clock.ts'
import { Problem, type ProblemDetails } from '../../core/problem.ts'
import type { Secret } from '../../core/secret.ts'
import { prose } from '../../core/to-type.ts'
import type { Sending } from './call.ts'
import { type Hint, operationOf, TOKENS, tokenHint, USER_TOKENS } from './named-causes.ts'
import type { RulePhase } from './port.ts'
import {
  isCertificateTrouble,
  mayHaveHappened,
  TOO_LARGE,
  type WireFailureDetails,
} from './wire.ts'

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
    why: 'It was mistyped, cut short, rolled or deleted; or an account owns it, which it may not list (a token of the R2 page): that is found with --account-id alone.',
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

/**
 * A refusal in words: code `cloudflare-<number>`, Cloudflare's own message and ray id kept, and what
 * was to be done.
 */
export function explain(failure: WireFailureDetails): ProblemDetails {
  const number = numberOf(failure)
  const said = failure.errors.map(({ message }) => message).join('; ')
  const trouble = number >= 500 && number < 600 ? SERVER_TROUBLE : UNKNOWN
  const hint = tokenHint(failure.status ?? 0, said) ?? hints[number] ?? trouble
  const asked = operationOf(failure.method, failure.path)
  const was = asked === undefined ? '' : ` Refused was to ${asked}.`
  return { ...hint, code: `cloudflare-${number}`, why: prose`${hint.why}${was} ${quote(failure)}` }
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

/** Cloudflare said no. The numbers are those of its `errors`, e.g. 10006. */
export class Refusal extends Problem {
  readonly status: number
  readonly numbers: readonly number[]
  /** Cloudflare's own words. */
  readonly said: string

  constructor(failure: WireFailureDetails) {
    super(explain(failure))
    this.status = failure.status ?? 0
    this.numbers = failure.errors.map(({ code }) => code)
    this.said = failure.errors.map(({ message }) => message).join('; ')
  }

  /** Cloudflare's words say what is wrong with the token. */
  get namesCause(): boolean {
    return tokenHint(this.status, this.said) !== undefined
  }

  /** The token may not ask this; 10042 (R2 not switched on) says nothing about the token. */
  get isForbidden(): boolean {
    return [401, 403].includes(this.status) && !this.numbers.includes(10042)
  }
}

/** What the caller gets to see of an attempt that did not work. */
export function toProblem(failure: WireFailureDetails, sending: Sending, token: Secret): Problem {
  const safe = withoutToken(failure, token)
  const isWrite = safe.method !== 'GET' && sending !== 'query'
  if (isWrite && mayHaveHappened(safe) && (sending !== 'repeatable' || safe.reason !== 'refused')) {
    return answerLost(safe)
  }
  if (safe.reason === 'refused') return new Refusal(safe)
  return safe.reason === 'garbled' ? garbled(safe) : unreachable(safe)
}

function answerLost({ method, path, status, detail }: WireFailureDetails): Problem {
  const reason = status === undefined ? (detail ?? 'connection broken') : `HTTP ${status}`
  return new Problem({
    code: 'cloudflare-answer-lost',
    what: 'A change was sent to Cloudflare, and its answer never came.',
    why: `It may have been carried out or not (${method} ${path.split('?')[0]}: ${reason}).`,
    next: 'Run this again: it looks first, and goes on from what it finds.',
  })
}

function garbled({ method, path, status, detail }: WireFailureDetails): Problem {
  if (detail === TOO_LARGE) return tooLarge(`${method} ${path.split('?')[0]}`)
  return new Problem({
    code: 'cloudflare-garbled',
    what: "The answer did not come from Cloudflare's API.",
    why: `It is not in the form that the API uses (${method} ${path.split('?')[0]}: HTTP ${status}). A proxy, a captive portal or a wrong address may be in between.`,
    next: "Check CLOUDFLARE_BASE_URL, --cloudflare-api-url and this machine's way to the internet, and run this again.",
  })
}

function tooLarge(call: string): Problem {
  return new Problem({
    code: 'cloudflare-answer-too-large',
    what: `The answer of Cloudflare's API is too large to be one: ${TOO_LARGE}.`,
    why: `It was not read further (${call}). A proxy or a wrong address may be in between.`,
    next: "Check CLOUDFLARE_BASE_URL, --cloudflare-api-url and this machine's way to the internet, and run this again.",
  })
}

function unreachable({ detail = 'connection broken' }: WireFailureDetails): Problem {
  const { why, next } = clockTrouble(detail) ?? {
    why: isCertificateTrouble(detail)
      ? `The other end's certificate is not trusted (${detail}): something is in between, or this machine's list of authorities is too old.`
      : `The network of this machine says ${detail}.`,
    next: 'Try `curl -I https://api.cloudflare.com` on this machine; once that works, run this again.',
  }
  return new Problem({
    code: 'cloudflare-unreachable',
    what: "Cloudflare's API could not be reached.",
    why,
    next,
  })
}

function withoutToken(failure: WireFailureDetails, token: Secret): WireFailureDetails {
  const errors = failure.errors.map(({ code, message }) => ({
    code,
    message: message.replaceAll(token.reveal(), String(token)),
  }))
  return { ...failure, errors }
}

/** "The specified bucket does not exist" (R2's error codes). */
const ABSENT = 10006

/** A bucket that does not exist has no rules, no domains and no objects: that is no refusal. */
export async function unlessAbsent<T>(absent: T, look: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof Refusal && error.numbers.includes(ABSENT)) return absent
    throw error
  }
}

interface Kind {
  readonly name: string
  /** The limit on the Free plan, from Cloudflare's docs. */
  readonly free: string
  readonly dashboard: string
}

const ZONE_RULES = 'https://dash.cloudflare.com/?to=/:account/:zone/rules/overview'

const kinds: Readonly<Record<RulePhase, Kind>> = {
  http_request_dynamic_redirect: {
    name: 'single redirects',
    free: '10 in a zone',
    dashboard: ZONE_RULES,
  },
  http_response_headers_transform: {
    name: 'response header rules',
    free: '10 in a zone',
    dashboard: ZONE_RULES,
  },
  http_request_cache_settings: { name: 'cache rules', free: '10 in a zone', dashboard: ZONE_RULES },
  http_request_firewall_custom: {
    name: 'WAF custom rules',
    free: '5 in a zone',
    dashboard: 'https://dash.cloudflare.com/?to=/:account/:zone/security/security-rules',
  },
  http_request_redirect: {
    name: 'bulk redirect rules',
    free: '15 in an account',
    dashboard: 'https://dash.cloudflare.com/?to=/:account/bulk-redirects',
  },
}

/** Says what a plan's limit means where a refusal is about one. */
export async function withinPlan<T>(phase: RulePhase, send: () => Promise<T>): Promise<T> {
  return saidAs(send, kinds[phase])
}

/** The same for lists and what is in them. */
export async function withinListLimits<T>(send: () => Promise<T>): Promise<T> {
  return saidAs(send, {
    name: 'redirect lists, or URL redirects in them,',
    free: '5 lists and 10,000 URL redirects in an account',
    dashboard: 'https://dash.cloudflare.com/?to=/:account/configurations/lists',
  })
}

/** The numbers of these refusals are not published, so Cloudflare's words decide. */
const TOO_MANY = /exceed|maximum|quota|too many|limit/i
const NOT_IN_PLAN =
  /not entitled|entitlement|not available (on|for|in) your plan|upgrade your plan/i

async function saidAs<T>(send: () => Promise<T>, kind: Kind): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof Refusal) || !isAboutPlan(error)) throw error
    throw NOT_IN_PLAN.test(error.said) ? notInPlan(kind, error) : limitReached(kind, error)
  }
}

function isAboutPlan({ status, said }: Refusal): boolean {
  const refused = [400, 402, 403, 409, 422].includes(status)
  return refused && (TOO_MANY.test(said) || NOT_IN_PLAN.test(said))
}

function limitReached({ name, free, dashboard }: Kind, cause: Refusal): Problem {
  return new Problem(
    {
      code: 'cloudflare-plan-limit',
      what: `There are as many ${name} as the plan allows.`,
      why: prose`The Free plan has ${free}; bigger plans have more. ${cause.why}`,
      next: `Delete one that is not needed at ${dashboard}, and run this again. Nothing of what is there was touched.`,
    },
    { cause },
  )
}

function notInPlan({ name, dashboard }: Kind, cause: Refusal): Problem {
  return new Problem(
    {
      code: 'cloudflare-not-in-plan',
      what: `The plan does not include something that is needed for ${name}.`,
      why: cause.why,
      next: `Look at ${dashboard} what the plan offers, or leave this part out.`,
    },
    { cause },
  )
}

/**
 * Cloudflare's refusals of a token that lacks a permission: it says nothing about the setup. The
 * numbers are those of its common errors; 401 and 403 stand for answers without a number.
 */
export function isForbidden({ code }: Problem): boolean {
  return /^cloudflare-(9109|10000|1001|401|403)$/.test(code)
}
