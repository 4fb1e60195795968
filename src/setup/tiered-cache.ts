import type { Finding, Step } from '../plan/step.ts'
import { permissionNames } from '../services/cloudflare/port.ts'
import { skipped } from './skipped.ts'

/** Cloudflare recommends it for R2; it is a switch of the whole zone, so it is asked for by itself. */
export function tieredCache(): Step<'cloudflare' | 'setup'> {
  let refusal: Finding | undefined

  return {
    id: 'tiered-cache',
    title: 'Smart Tiered Cache',

    async look({ cloudflare, setup }): Promise<Finding> {
      if (refusal) return refusal
      try {
        if (await cloudflare.isTieredCacheOn(setup.zone.id)) return { is: 'ready', note: 'on' }
        const what = `switch Smart Tiered Cache on for the whole zone ${setup.zone.name}: data centers ask each other before they read from R2, fewer paid reads`
        return { is: 'change', changes: [{ what, risk: 'public' }] }
      } catch (error) {
        return skipped(error, permissionNames['zone-settings'])
      }
    },

    async change({ cloudflare, setup }) {
      try {
        await cloudflare.setTieredCache(setup.zone.id, true)
      } catch (error) {
        refusal = skipped(error, permissionNames['zone-settings'])
      }
      return {}
    },
  }
}
