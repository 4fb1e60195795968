import type { Call } from './call.ts'
import type { CloudflarePort } from './port.ts'

/** Addresses or prefixes of one call (Cloudflare docs, cache/how-to/purge-cache, for all but Enterprise). */
const AT_ONCE = 30

/** Sent again where need be: what is gone from the cache twice is gone. */
export function edgeCache(call: Call): Pick<CloudflarePort, 'purgeUrls' | 'purgePrefixes'> {
  return {
    async purgeUrls(zoneId, urls, origin) {
      for (const some of parted(urls)) {
        const files =
          origin === undefined ? some : some.map((url) => ({ url, headers: { Origin: origin } }))
        await call('repeatable', (sdk) => sdk.cache.purge({ zone_id: zoneId, files } as Purge))
      }
    },

    async purgePrefixes(zoneId, prefixes) {
      for (const some of parted(prefixes)) {
        await call('repeatable', (sdk) => sdk.cache.purge({ zone_id: zoneId, prefixes: some }))
      }
    },
  }
}

type Purge = Parameters<Parameters<Parameters<Call>[1]>[0]['cache']['purge']>[0]

function parted(all: readonly string[]): string[][] {
  const count = Math.ceil(all.length / AT_ONCE)
  return Array.from({ length: count }, (_, at) => all.slice(at * AT_ONCE, (at + 1) * AT_ONCE))
}
