import { setTimeout as after } from 'node:timers/promises'
import { BaseAccounts } from 'cloudflare/resources/accounts/accounts'
import { Tokens as AccountTokens } from 'cloudflare/resources/accounts/tokens/tokens'
import { TieredCaching } from 'cloudflare/resources/argo/tiered-caching'
import { SmartTieredCache } from 'cloudflare/resources/cache/smart-tiered-cache'
import { BaseRecords } from 'cloudflare/resources/dns/records'
import { Buckets } from 'cloudflare/resources/r2/buckets/buckets'
import { SuperSlurper } from 'cloudflare/resources/r2/super-slurper/super-slurper'
import { Lists } from 'cloudflare/resources/rules/lists/lists'
import { BasePhases } from 'cloudflare/resources/rulesets/phases'
import { BaseRules } from 'cloudflare/resources/rulesets/rules'
import { Tokens as UserTokens } from 'cloudflare/resources/user/tokens/tokens'
import { BaseZones } from 'cloudflare/resources/zones/zones'
import { createClient } from 'cloudflare/tree-shakable'
import { Cancelled, Problem } from '../../core/problem.ts'
import type { Secret } from '../../core/secret.ts'
import { accounts, permissions } from './accounts.ts'
import { bucketRules, buckets, domains } from './buckets.ts'
import { type Sending, withRetries } from './call.ts'
import { keys } from './keys.ts'
import { redirectLists } from './lists.ts'
import type { ApiCall, CloudflarePort } from './port.ts'
import { toProblem } from './refusal.ts'
import { rules, tieredCache } from './rules.ts'
import { slurper } from './slurper.ts'
import { createWire, WireFailure, type WireOptions, wellFormed } from './wire.ts'
import { zones } from './zones.ts'

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
}

/** One call, sent as its kind allows; throws Problem or Cancelled. */
export type Call = <T>(sending: Sending, send: (sdk: Sdk) => PromiseLike<T>) => Promise<T>

const BASE_URL = 'https://api.cloudflare.com/client/v4'

/** Throws Problem `cloudflare-token-malformed`; asks nothing of Cloudflare by itself. */
export function connectCloudflare(options: CloudflareOptions): CloudflarePort {
  const { token, signal } = options
  if (!/^[\x21-\x7e]+$/.test(token.reveal())) throw malformedToken()
  const baseUrl = (options.baseUrl || BASE_URL).replace(/\/+$/, '')
  const { timeoutMs = 30_000, sleep = pause(signal), onCall, onWait } = options
  const sdk = createSdk({ token, baseUrl, timeoutMs, onCall, signal })

  const call: Call = async (sending, send) => {
    try {
      return await withRetries(sending, () => send(sdk), { sleep, onWait })
    } catch (error) {
      throw error instanceof WireFailure ? toProblem(error.details, sending, token) : error
    }
  }
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
  })
  return { ...verbs, slurper: wellFormed(slurper(call)) }
}

export type Sdk = ReturnType<typeof createSdk>

/**
 * Everything is passed, even where it says nothing: what is left out the SDK takes from its own
 * CLOUDFLARE_* variables. Retries, time limit and headers are the wire's.
 */
function createSdk(wire: WireOptions) {
  const sdk = createClient({
    apiToken: wire.token.reveal(),
    apiKey: null,
    apiEmail: null,
    userServiceKey: null,
    baseURL: wire.baseUrl,
    logLevel: 'off',
    maxRetries: 0,
    timeout: wire.timeoutMs + 60_000,
    fetch: createWire(wire),
    resources: [
      BaseAccounts,
      AccountTokens,
      UserTokens,
      BaseZones,
      BaseRecords,
      Buckets,
      SuperSlurper,
      Lists,
      BasePhases,
      BaseRules,
      TieredCaching,
      SmartTieredCache,
    ],
  })
  // Where it keeps the headers of CLOUDFLARE_CUSTOM_HEADERS; a malformed one breaks every call.
  Object.assign(sdk, { _options: {} })
  return sdk
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
