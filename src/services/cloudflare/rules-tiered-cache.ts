import type { Call } from './client.ts'
import type { RulesPort } from './rules-port.ts'

/** Tiered Cache, and the smart choice of its upper tier: one is nothing without the other. */
export function tieredCache(call: Call): Pick<RulesPort, 'isTieredCacheOn' | 'setTieredCache'> {
  return {
    async isTieredCacheOn(zoneId) {
      const at = { zone_id: zoneId }
      const [tiered, smart] = await Promise.all([
        call('repeatable', (sdk) => sdk.argo.tieredCaching.get(at)),
        call('repeatable', (sdk) => sdk.cache.smartTieredCache.get(at)),
      ])
      return tiered.value === 'on' && smart.value === 'on'
    },

    async setTieredCache(zoneId, on) {
      const at = { zone_id: zoneId, value: on ? ('on' as const) : ('off' as const) }
      const switches = [
        () => call<unknown>('repeatable', (sdk) => sdk.argo.tieredCaching.edit(at)),
        () => call<unknown>('repeatable', (sdk) => sdk.cache.smartTieredCache.edit(at)),
      ]
      for (const turn of on ? switches : switches.reverse()) await turn()
    },
  }
}
