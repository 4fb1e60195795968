import { readCapped } from '../../core/capped.ts'
import { Cancelled, Problem } from '../../core/problem.ts'
import type { Secret } from '../../core/secret.ts'
import {
  NOT_CONNECTED,
  type SimpleAnswer,
  type SimpleRequest,
  sendRequest,
} from '../../core/send-request.ts'
import type { WayOut } from '../../core/through-proxy.ts'
import type { ApiCall } from './port.ts'

export interface ApiError {
  readonly code: number
  readonly message: string
}

export interface WireFailureDetails {
  /**
   * `unreached`: no connection came about, nothing was sent. `lost`: sent, but no whole answer.
   * `garbled`: an answer that isn't Cloudflare's envelope. `refused`: an answer that says no.
   */
  readonly reason: 'unreached' | 'lost' | 'garbled' | 'refused'
  readonly method: string
  readonly path: string
  readonly status?: number
  readonly errors: readonly ApiError[]
  readonly rayId?: string
  readonly retryAfterSeconds?: number
  /** The network's own word, e.g. ECONNREFUSED. */
  readonly detail?: string
}

/**
 * One HTTP attempt that did not work. Its text is fixed and it has no `cause`: the SDK searches
 * both for "timed out" and throws the error away where it finds it.
 */
export class WireFailure extends Error {
  readonly details: WireFailureDetails

  constructor(details: WireFailureDetails) {
    super('The call failed.')
    this.name = 'WireFailure'
    this.details = details
  }
}

/** Whether Cloudflare may have carried the call out although nobody was told so. */
export function mayHaveHappened({ reason, status = 0 }: WireFailureDetails): boolean {
  if (reason === 'refused') return status >= 500 || status === 408
  return reason !== 'unreached' && !(status >= 300 && status < 500)
}

export interface WireOptions {
  readonly token: Secret
  /** Without a slash at its end. */
  readonly baseUrl: string
  /** For connecting, answer and body together. */
  readonly timeoutMs: number
  readonly onCall?: ((call: ApiCall) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Where a proxy is named; its Problems are passed on. */
  readonly wayOut?: WayOut | undefined
  /** In the place of Node's own way to send a request. */
  readonly send?: Send | undefined
}

export type Send = (url: URL, request: SimpleRequest) => Promise<SimpleAnswer>

/** The detail of an answer that was not read to its end; unpacked, where it was compressed. */
export const TOO_LARGE = 'more than 16 MB'

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  NOT_CONNECTED,
])

/** An answer whose text is whole: passed on, or thrown as a WireFailure. */
export type Judge = (
  answer: SimpleAnswer,
  text: string,
  call: { readonly method: string; readonly path: string },
) => Response

/**
 * The `fetch` that the SDK is given. It passes on only what Cloudflare needs (the SDK adds headers
 * of its own and those of CLOUDFLARE_CUSTOM_HEADERS), follows no redirect, reads the whole body
 * within the time limit, and hands on an answer only when `judge` does: unless told, when that says
 * `success: true`. Throws WireFailure, a Problem of the proxy's, or Cancelled when `signal` was aborted.
 */
export function createWire(options: WireOptions, judge: Judge = judgeEnvelope) {
  const { baseUrl, onCall, signal, timeoutMs } = options
  const { wayOut } = options
  const { send = (url, request) => sendRequest(url, request, wayOut?.to(url)?.agent) } = options

  return async (input: Parameters<Fetch>[0], init: RequestInit = {}): Promise<Response> => {
    const url = addressOf(input)
    const method = init.method ?? 'GET'
    const path = url.startsWith(baseUrl) ? url.slice(baseUrl.length) : url
    const began = performance.now()
    const report = (status: number | 'failed', rayId?: string) => {
      const ms = Math.round(performance.now() - began)
      onCall?.({ method, path, status, ms, ...(rayId === undefined ? {} : { rayId }) })
    }
    const stop = new AbortController()
    const abort = () => stop.abort()
    const timer = setTimeout(abort, timeoutMs)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      if (signal?.aborted) throw new Cancelled()
      const request = { method, headers: headersFor(init, options.token), signal: stop.signal }
      // The SDK sends JSON alone.
      const sent = init.body == null ? {} : { body: init.body as string }
      const answer = await send(new URL(url), { ...request, ...sent })
      const fail = { reason: 'garbled', method, path, errors: [] } as const
      const tooMuch = () => new WireFailure({ ...fail, detail: TOO_LARGE, status: answer.status })
      const text = (await readCapped(answer.body, tooMuch)).toString()
      report(answer.status, rayOf(answer))
      return judge(answer, text, { method, path })
    } catch (error) {
      if (error instanceof WireFailure || error instanceof Cancelled) throw error
      report('failed')
      if (signal?.aborted) throw new Cancelled()
      if (error instanceof Problem) throw error
      const detail = stop.signal.aborted ? 'ETIMEDOUT' : networkWord(error)
      const reason = isUnreached(detail) ? 'unreached' : 'lost'
      throw new WireFailure({ reason, method, path, errors: [], detail })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }
}

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * The same for who asks several things at once: what is asked for while the same is under way gets
 * that answer. An answer from before a change serves nobody who asks after it.
 */
export function sharingAnswers(send: Fetch): Fetch {
  const underWay = new Map<string, Promise<Response>>()
  return async (input, init = {}) => {
    if ((init.method ?? 'GET') !== 'GET') {
      underWay.clear()
      return send(input, init).finally(() => underWay.clear())
    }
    // What depends on a header, a jurisdiction, is another question.
    const question = `${addressOf(input)} ${JSON.stringify(passedOn(init))}`
    const asked = underWay.get(question)
    if (asked) return asked
    const own = send(input, init)
    underWay.set(question, own)
    try {
      return await own
    } finally {
      if (underWay.get(question) === own) underWay.delete(question)
    }
  }
}

/** A certificate that isn't trusted: asking again changes nothing. */
export function isCertificateTrouble(detail = ''): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS|ERR_SSL|EPROTO/.test(detail)
}

function isUnreached(detail: string): boolean {
  return NEVER_SENT.has(detail) || isCertificateTrouble(detail)
}

function addressOf(input: Parameters<Fetch>[0]): string {
  return typeof input === 'object' && 'url' in input ? input.url : String(input)
}

function headersFor(init: RequestInit, token: Secret): Record<string, string> {
  return {
    accept: 'application/json',
    authorization: `Bearer ${token.reveal()}`,
    'user-agent': 'mastodon-r2',
    ...(init.body != null && { 'content-type': 'application/json' }),
    ...Object.fromEntries(passedOn(init)),
  }
}

/** Of the headers that the SDK has set. */
function passedOn({ headers = [] }: RequestInit): [name: string, value: string][] {
  // As the SDK makes them they are pairs.
  const all = [...(headers as Iterable<[string, string]>)]
  return all.filter(([name]) => name.startsWith('cf-r2-'))
}

const judgeEnvelope: Judge = (response, text, call) => {
  const { status } = response
  const fail = failing(response, call)
  if (status === 204) return asJson('{"success":true,"result":null}')
  const answer = envelope(text)
  if (!isOk(response)) {
    const fromCloudflare = answer !== undefined || status === 429 || status >= 500
    throw fail(fromCloudflare ? 'refused' : 'garbled', errorsOf(answer))
  }
  // Only a change may be answered without one.
  const isWhole = call.method !== 'GET' || (answer && 'result' in answer)
  if (answer?.success === true && isWhole) return asJson(text)
  throw answer?.success === false ? fail('refused', errorsOf(answer)) : fail('garbled')
}

/**
 * For GraphQL, whose answers have `data` and `errors` alone. A refusal may come with status 200, and has
 * no number (Cloudflare docs, analytics/graphql-api/errors): its words say which status is meant.
 */
export const judgeGraphql: Judge = (response, text, call) => {
  const answer = envelope(text)
  const errors = errorsOf(answer)
  const status = isOk(response) ? statusOf(errors) : response.status
  const fail = failing(response, call, status)
  const fromCloudflare = answer !== undefined || status === 429 || status >= 500
  if (!isOk(response)) throw fail(fromCloudflare ? 'refused' : 'garbled', errors)
  if (errors.length > 0) throw fail('refused', errors)
  if (!isRecord(answer?.data)) throw fail('garbled')
  return asJson(text)
}

const meanings: readonly (readonly [words: RegExp, status: number])[] = [
  [/^unauthorized$|authentication/i, 401],
  [/not authorized|does not have access|permission/i, 403],
  [/rate limit|too many nodes|excessive resources/i, 429],
  [/try again later|internal server error/i, 503],
]

function statusOf(errors: readonly ApiError[]): number {
  const said = errors.map(({ message }) => message).join('; ')
  return meanings.find(([words]) => words.test(said))?.[1] ?? 400
}

function isOk({ status }: SimpleAnswer): boolean {
  return status >= 200 && status < 300
}

function failing(
  response: SimpleAnswer,
  call: Parameters<Judge>[2],
  status = response.status,
): (reason: WireFailureDetails['reason'], errors?: readonly ApiError[]) => WireFailure {
  const rayId = rayOf(response)
  const retryAfterSeconds = seconds(response.header('retry-after'))
  return (reason, errors = []) =>
    new WireFailure({
      ...call,
      reason,
      status,
      errors,
      ...(rayId === undefined ? {} : { rayId }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    })
}

/** As a Response, of which it has what the SDK reads. */
function asJson(text: string): Response {
  return {
    ok: true,
    status: 200,
    headers: new Map([['content-type', 'application/json']]),
    json: async () => JSON.parse(text),
  } as unknown as Response
}

function envelope(text: string): Record<string, unknown> | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return isRecord(answer) ? answer : undefined
  } catch {
    return undefined
  }
}

function errorsOf(answer: Record<string, unknown> | undefined): ApiError[] {
  const errors = Array.isArray(answer?.errors) ? answer.errors : []
  return errors.filter(isRecord).map(({ code, message }) => ({
    code: Number(code) || 0,
    message: typeof message === 'string' ? message : '',
  }))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function rayOf(answer: SimpleAnswer): string | undefined {
  return answer.header('cf-ray')?.replaceAll(/[^\w-]/g, '') || undefined
}

/** Retry-After is a number of seconds or an HTTP date (RFC 9110, section 10.2.3). */
function seconds(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined
  const value = /^\d+$/.test(retryAfter.trim())
    ? Number(retryAfter)
    : (Date.parse(retryAfter) - Date.now()) / 1000
  return Number.isFinite(value) ? Math.max(0, Math.ceil(value)) : undefined
}

function networkWord(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === 'string') return code
  }
  return error instanceof Error ? error.name : 'unknown'
}

type Verb = (...words: never[]) => Promise<unknown>

/**
 * The same verbs, for answers whose form nobody has checked: where taking one apart fails, it was not
 * what the API's description promises. Throws Problem `cloudflare-odd-answer` then.
 */
export function wellFormed<Port extends object>(port: Port): Port {
  const verbs = Object.entries(port).map(([name, verb]) => {
    const guarded = async (...words: never[]) => {
      try {
        return await (verb as Verb)(...words)
      } catch (error) {
        throw error instanceof TypeError ? oddAnswer(name, error) : error
      }
    }
    return [name, guarded]
  })
  return Object.fromEntries(verbs) as Port
}

/** What was not as the API's description promises, e.g. `it has no status`. */
export class OddAnswer extends TypeError {}

/** `value` as a list of objects, absent as an empty one; a TypeError for anything else. */
export function listOfObjects(value: unknown): Record<string, unknown>[] {
  if (value === undefined || value === null) return []
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'object' && item)
  if (!isList) throw new OddAnswer(`a list was expected, and ${kindOf(value)} came`)
  return value as Record<string, unknown>[]
}

/** A text that an answer must have. */
export function textIn(answer: object, name: string): string {
  const value = (answer as Record<string, unknown>)[name]
  if (typeof value === 'string' && value !== '') return value
  throw new OddAnswer(
    value === undefined ? `it has no ${name}` : `its ${name} is ${kindOf(value)}, not a text`,
  )
}

/** In words, for a person. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (value === '') return 'an empty text'
  if (Array.isArray(value)) return 'a list of something else'
  return (
    { object: 'an object', string: 'a text', number: 'a number' }[typeof value as string] ??
    `a ${typeof value}`
  )
}

function oddAnswer(verb: string, cause: TypeError): Problem {
  const odd = cause instanceof OddAnswer ? cause.message : 'a part is missing or of another kind'
  return new Problem(
    {
      code: 'cloudflare-odd-answer',
      what: "An answer of Cloudflare's API has another form than its description says.",
      why: `What is odd in the answer to ${verb}: ${odd}. A proxy may be in between, or the API has changed.`,
      next: 'Run this again in some minutes. If it stays, look for a newer mastodon-r2, or report this with the lines that --verbose prints.',
    },
    { cause },
  )
}
