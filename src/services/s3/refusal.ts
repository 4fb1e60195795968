import { counted } from '../../core/amounts.ts'
import { CLOCK_REFUSAL, clockTrouble } from '../../core/clock.ts'
import { Problem, type ProblemDetails } from '../../core/problem.ts'
import { r2Hint } from './hints-r2.ts'
import { sourceHint } from './hints-source.ts'
import type { Asked, Refused, S3Place, S3Service } from './service.ts'

interface Undeleted {
  readonly Key?: string | undefined
  readonly Code?: string | undefined
  readonly Message?: string | undefined
}

/** These are about the key or the bucket, whichever object was asked for. */
const OF_ALL = /^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|NoSuchBucket)$/

/**
 * Whether an object was refused for itself, while the bucket may be open: its owner is another, it is
 * archived, or it is listed without being there.
 */
export function isOfObject(error: unknown): error is Problem {
  if (!(error instanceof Problem) || !/^s3-40[34]$/.test(error.code)) return false
  if (!(error instanceof S3Refusal)) return true
  return !OF_ALL.test(error.refusal) && !CLOCK_REFUSAL.test(error.refusal)
}

/** A refusal of one object, or of the whole bucket, by an S3 service. */
class S3Refusal extends Problem {
  /** The error's name, e.g. `AccessDenied`. */
  readonly refusal: string

  constructor(details: ProblemDetails, refusal: string) {
    super(details)
    this.refusal = refusal
  }
}

/** What the SDK adds to an error. */
interface SdkError extends Error {
  readonly Region?: unknown
  readonly Endpoint?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string | undefined>> }
}

/** What the SDK threw, for a person. Only name, message and status of it are kept. */
export function toProblem(error: unknown, place: S3Place, asked: Asked): unknown {
  if (error instanceof Problem || !(error instanceof Error)) return error
  const { $metadata, $response, Region, Endpoint } = error as SdkError
  const status = $metadata?.httpStatusCode
  if (status === undefined) return isNetwork(error) ? unreachable(error, place) : error
  if (status < 300) return damaged(place)
  const told = {
    region: word(Region) ?? word($response?.headers?.['x-amz-bucket-region']),
    endpoint: word(Endpoint),
  }
  const { name, message } = error
  const refused: Refused = { ...place, asked, name, status, said: message, told }
  const hint = place.service.role === 'target' ? r2Hint(refused) : sourceHint(refused)
  const why = `${hint.why} ${place.service.name} says: ${quote(error)} (HTTP ${status}, bucket ${place.bucket} at ${place.endpoint}).`
  return byStatus(status, { ...hint, why }, name)
}

/** Whether the answer was one to HEAD, which has no body that could name the reason. */
export function isNameless(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const status = (error as SdkError).$metadata?.httpStatusCode ?? 0
  return (
    status >= 300 &&
    status < 500 &&
    /^(Unknown|UnknownError|NotFound|Forbidden|\d{3})$/.test(error.name)
  )
}

/** `SlowDown` of S3, 429 of R2; answers without a body say it by their status alone. */
export function isSlowDown(error: unknown, { role }: S3Service): boolean {
  if (!(error instanceof Error)) return false
  const status = (error as SdkError).$metadata?.httpStatusCode
  const isNamed = /^(SlowDown|TooManyRequests|RequestLimitExceeded|Throttling\w*)$/.test(error.name)
  return isNamed || status === 429 || (role !== 'target' && status === 503)
}

/** DeleteObjects answers 200 and lists what it could not do. */
export function notDeleted(
  count: number,
  { Key = '', Code = '', Message = '' }: Undeleted,
  place: S3Place,
): Problem {
  const what = `${place.service.name} did not delete ${count === 1 ? 'an object' : counted(count, 'object')}.`
  const why = `For ${Key} it says: ${Code} ${Message}`.trim()
  if (Code !== 'AccessDenied') {
    return new Problem({
      code: 's3-not-deleted',
      what,
      why,
      next: 'Wait a minute and run this again.',
    })
  }
  const { next } = r2Hint({
    ...place,
    asked: 'object',
    name: Code,
    status: 403,
    said: Message,
    told: { region: undefined, endpoint: undefined },
  })
  return byStatus(403, { what, why, next }, Code)
}

function byStatus(
  status: number,
  words: Pick<ProblemDetails, 'what' | 'why' | 'next'>,
  name: string,
): S3Refusal {
  return new S3Refusal({ ...words, code: `s3-${status}` }, name)
}

/** One plain word of an answer, short enough to be shown. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:/-]{1,200}$/.test(value) ? value : undefined
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

function unreachable(error: Error, { endpoint, service }: S3Place): Problem {
  const { code = 'ETIMEDOUT' } = error as NodeJS.ErrnoException
  const clock = clockTrouble(code)
  return new Problem({
    code: 's3-unreachable',
    what: `The S3 endpoint of ${service.name} could not be reached.`,
    why: `${endpoint}: ${clock?.why ?? (code === 'ETIMEDOUT' ? 'no answer in time.' : `${code}.`)}`,
    next:
      clock?.next ??
      `Try \`curl -I ${endpoint}\` on this machine; once that works, run this again.`,
  })
}

/** A connection that lives, and brings next to nothing. */
export function tooSlow(
  { endpoint, service }: Pick<S3Place, 'endpoint' | 'service'>,
  limitMs: number,
): Problem {
  const seconds = Math.ceil(limitMs / 1000)
  return new Problem({
    code: 's3-too-slow',
    what: `The answer of ${service.name} trickles in: less than 16 KB in ${seconds} s.`,
    why: `It came from ${endpoint}. The line between this machine and it is overloaded, or a proxy in between is.`,
    next: "See how fast it is by itself: curl -o /dev/null -w '%{speed_download}' https://speed.cloudflare.com/__down?bytes=1000000\nOnce that is faster, run this again.",
  })
}

/** The answer was understood as little as if it came from something else. */
export function damaged({ endpoint, service }: Pick<S3Place, 'endpoint' | 'service'>): Problem {
  return new Problem({
    code: 's3-damaged',
    what: `The S3 endpoint of ${service.name} gave an answer that makes no sense.`,
    why: `What ${endpoint} sent is not what S3 sends; a proxy may be in between.`,
    next: "Check S3_ENDPOINT and this machine's way to the internet, and run this again.",
  })
}

/** More than an answer to such a question can be. */
export function tooMuch({ endpoint, service }: Pick<S3Place, 'endpoint' | 'service'>): Problem {
  return new Problem({
    code: 's3-answer-too-large',
    what: `The answer of ${service.name} is too large to be one: more than 16 MB.`,
    why: `It came from ${endpoint}, and was not read further; a proxy may be in between.`,
    next: "Check S3_ENDPOINT and this machine's way to the internet, and run this again.",
  })
}
