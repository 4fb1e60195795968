import { BaseAccounts } from 'cloudflare/resources/accounts/accounts'
import { Tokens as AccountTokens } from 'cloudflare/resources/accounts/tokens/tokens'
import { TieredCaching } from 'cloudflare/resources/argo/tiered-caching'
import { BaseCache } from 'cloudflare/resources/cache/cache'
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
import { createWire, sharingAnswers, type WireOptions } from './wire.ts'
/**
 * Everything is passed, even where it says nothing: what is left out the SDK takes from its own
 * CLOUDFLARE_* variables. Retries, time limit and headers are the wire's.
 */
export function createSdk(wire: WireOptions) {
  const sdk = createClient({
    apiToken: wire.token.reveal(),
    apiKey: null,
    apiEmail: null,
    userServiceKey: null,
    baseURL: wire.baseUrl,
    logLevel: 'off',
    maxRetries: 0,
    timeout: wire.timeoutMs + 60_000,
    fetch: sharingAnswers(createWire(wire)),
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
      BaseCache,
    ],
  })
  // Where it keeps the headers of CLOUDFLARE_CUSTOM_HEADERS; a malformed one breaks every call.
  Object.assign(sdk, { _options: {} })
  return sdk
}

export type Sdk = ReturnType<typeof createSdk>
