import type { Finding, Step } from '../plan/step.ts'
import type { Redirect, Rule } from '../services/cloudflare/port.ts'
import { type CloudflarePort, permissionNames, type Zone } from '../services/cloudflare/port.ts'
import { skipped } from '../setup/edge.ts'
import { isOurItem, itemOf, lookAtBulk, takeFromBulk } from './bulk.ts'
import type { OldPrefix } from './redirecting.ts'
import { granted } from './redirecting.ts'
import { isOurSingle, SINGLE_PHASE, singleRule, zoneOf } from './single.ts'

/** What is taken away: what leads to this media host, of these prefixes where they are named. */
export interface DropWish {
  readonly mediaHost: string
  readonly only: readonly OldPrefix[] | undefined
}

/** Takes our rules out of these zones, and no other. */
export function dropSingleRedirects(
  { mediaHost, only }: DropWish,
  zones: readonly Pick<Zone, 'id' | 'name'>[],
): Step<'cloudflare'> {
  const refs = only?.map((prefix) => singleRule(prefix, mediaHost, 301).ref)
  const isOurs = (rule: Rule) =>
    isOurSingle(rule, mediaHost) && (refs?.includes(rule.ref ?? '') ?? true)
  const oursIn = async (cloudflare: CloudflarePort, id: string) =>
    (await cloudflare.listRules(zoneOf(id), SINGLE_PHASE)).filter(isOurs)

  return {
    id: 'drop-single-redirects',
    title: 'Single redirects',

    async look({ cloudflare }): Promise<Finding> {
      const found: string[] = []
      let hidden: Finding | undefined
      for (const zone of zones) {
        try {
          const ours = await oursIn(cloudflare, zone.id)
          found.push(...ours.map(({ description }) => `remove the rule "${description}"`))
        } catch (error) {
          hidden ??= skipped(error, permissionNames['single-redirects'])
        }
      }
      if (found.length === 0) return hidden ?? { is: 'ready', note: 'no rule of this program' }
      return { is: 'change', changes: found.map((what) => ({ what, risk: 'public' })) }
    },

    async change({ cloudflare }) {
      for (const zone of zones) {
        const ours = await oursIn(cloudflare, zone.id).catch((error) => {
          skipped(error, permissionNames['single-redirects'])
          return []
        })
        for (const { id } of ours) {
          await granted([permissionNames['single-redirects']], () =>
            cloudflare.removeRule(zoneOf(zone.id), SINGLE_PHASE, id),
          )
        }
      }
      return {}
    },
  }
}

/** Takes our items out of the account's list; list and rule too, when nothing else is in it. */
export function dropBulkRedirects(
  { mediaHost, only }: DropWish,
  accountId: string,
): Step<'cloudflare'> {
  const isOurs = (item: Redirect) =>
    isOurItem(item, mediaHost) &&
    (only === undefined || only.some((prefix) => itemOf([item], prefix) !== undefined))
  return {
    id: `drop-bulk-redirects:${accountId}`,
    title: 'Bulk redirects',

    async look({ cloudflare }): Promise<Finding> {
      try {
        const { list, items, rule } = await lookAtBulk(cloudflare, accountId)
        const ours = items.filter(isOurs)
        const others = items.length - ours.length
        const isLeftOver = (list !== undefined || rule !== undefined) && items.length === 0
        if (ours.length === 0 && !isLeftOver) {
          return { is: 'ready', note: 'no redirect of this program' }
        }
        const end = others === 0 ? ['remove the rule and the list, which hold nothing else'] : []
        const kept = others === 1 ? '1 redirect of others stays' : `${others} of others stay`
        const warnings = others === 0 ? [] : [`${kept} in the list; so do the list and its rule.`]
        const names = ours.map(({ sourceUrl }) => `remove the redirect of ${sourceUrl}`)
        const changes = [...names, ...end].map((what) => ({ what, risk: 'public' as const }))
        return { is: 'change', changes, warnings }
      } catch (error) {
        const { 'redirect-lists': lists, 'bulk-redirects': rules } = permissionNames
        return skipped(error, `${lists}" and "${rules}`)
      }
    },

    async change({ cloudflare }) {
      await granted([permissionNames['redirect-lists'], permissionNames['bulk-redirects']], () =>
        takeFromBulk(cloudflare, accountId, isOurs),
      )
      return {}
    },
  }
}
