import { setTimeout as after } from 'node:timers/promises'
import { Cancelled, Problem } from '../../core/problem.ts'
import type { Secret } from '../../core/secret.ts'
import type { WayOut } from '../../core/through-proxy.ts'
import { accounts, permissions, zones } from './accounts.ts'
import { type AskGraphql, analytics } from './analytics.ts'
import { bucketRules, buckets, domains } from './buckets.ts'
import { type Call, withRetries } from './call.ts'
import { keys } from './keys.ts'
import { redirectLists } from './lists.ts'
import type { ApiCall, CloudflarePort } from './port.ts'
import { toProblem } from './refusal.ts'
import { edgeCache, rules, tieredCache } from './rules.ts'
import { createSdk } from './sdk.ts'
import { slurper } from './slurper.ts'
import { createWire, judgeGraphql, type Send, WireFailure, wellFormed } from './wire.ts'

export interface CloudflareOptions {
  readonly token: Secret
  /** For other worlds; Cloudflare's own address unless told. */
  readonly baseUrl?: string | undefined
  /** Told of every HTTP attempt, repeated ones too. */
  readonly onCall?: ((call: ApiCall) => void) | undefined
  /** Told before each pause that the client makes on its own. */
  readonly onWait?: ((seconds: number, reason: string) => void) | undefined
  /** Ends everything under way with Cancelled. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds for one attempt; 30,000 unless told. */
  readonly timeoutMs?: number | undefined
  readonly sleep?: ((ms: number) => Promise<void>) | undefined
  readonly wayOut?: WayOut | undefined
  /** In the place of Node's own way to send a request. */
  readonly send?: Send | undefined
}

const BASE_URL = 'https://api.cloudflare.com/client/v4'

/** Throws Problem `cloudflare-token-malformed`; asks nothing of Cloudflare by itself. */
export function connectCloudflare(options: CloudflareOptions): CloudflarePort {
  const { token, signal } = options
  if (!/^[\x21-\x7e]+$/.test(token.reveal())) throw malformedToken()
  const baseUrl = (options.baseUrl || BASE_URL).replace(/\/+$/, '')
  const { timeoutMs = 30_000, sleep = pause(signal), onCall, onWait } = options
  const { wayOut, send } = options
  const wire = { token, baseUrl, timeoutMs, onCall, signal, wayOut, send }
  const sdk = createSdk(wire)
  const graphql = createWire(wire, judgeGraphql)

  const call: Call = async (sending, send) => {
    try {
      return await withRetries(sending, () => send(sdk), { sleep, onWait })
    } catch (error) {
      throw error instanceof WireFailure ? toProblem(error.details, sending, token) : error
    }
  }
  const ask: AskGraphql = (query, variables) =>
    call('query', async () => {
      const body = JSON.stringify({ query, variables })
      const answer = await graphql(`${baseUrl}/graphql`, { method: 'POST', body })
      return ((await answer.json()) as { data: unknown }).data
    })
  const verbs = wellFormed({
    ...accounts(call, token),
    ...zones(call),
    ...permissions(call),
    ...buckets(call),
    ...domains(call),
    ...bucketRules(call),
    ...keys(call),
    ...rules(call),
    ...redirectLists(call, sleep),
    ...tieredCache(call),
    ...edgeCache(call),
  })
  return { ...verbs, slurper: wellFormed(slurper(call)), analytics: wellFormed(analytics(ask)) }
}

function pause(signal: AbortSignal | undefined) {
  return async (ms: number) => {
    try {
      await after(ms, undefined, signal ? { signal } : {})
    } catch {
      throw new Cancelled()
    }
  }
}

function malformedToken(): Problem {
  return new Problem({
    code: 'cloudflare-token-malformed',
    what: 'This is not a Cloudflare API token.',
    why: 'It is empty, or it holds spaces, line breaks or characters that a token never has.',
    next: 'Copy the token once more, without anything around it, and run this again.',
    exit: 2,
  })
}
