import * as lists from './lists.ts'
import * as items from './lists-items.ts'
import type { Need, Route } from './routes.ts'
import * as rulesets from './rulesets.ts'
import * as cache from './tiered-cache.ts'

const listsWrite: Need = { groups: ['Account Rule Lists Write'], on: 'account' }
const listsRead: Need = { groups: [...listsWrite.groups, 'Account Rule Lists Read'], on: 'account' }
const zoneWrite: Need = { groups: ['Zone Settings Write', 'Zone Write'], on: 'zone' }
const zoneRead: Need = {
  groups: [...zoneWrite.groups, 'Zone Settings Read', 'Zone Read'],
  on: 'zone',
}

const all = '/accounts/:account/rules/lists'
const one = `${all}/:list`
const operation = `${all}/bulk_operations/:operation`
const tiered = '/zones/:zone/argo/tiered_caching'
const smart = '/zones/:zone/cache/tiered_cache_smart_topology_enable'

/** Rules, redirect lists and cache switches. What a phase needs of a token is its handlers' to ask. */
export const rulesetsRoutes: readonly Route[] = [
  ...placed('/accounts/:account'),
  ...placed('/zones/:zone'),
  { method: 'GET', path: all, need: listsRead, handle: lists.listLists },
  { method: 'POST', path: all, need: listsWrite, handle: lists.createList },
  { method: 'GET', path: one, need: listsRead, handle: lists.getList },
  { method: 'DELETE', path: one, need: listsWrite, handle: lists.deleteList },
  { method: 'GET', path: `${one}/items`, need: listsRead, handle: items.listItems },
  { method: 'POST', path: `${one}/items`, need: listsWrite, handle: items.addItems },
  { method: 'PUT', path: `${one}/items`, need: listsWrite, handle: items.replaceItems },
  { method: 'DELETE', path: `${one}/items`, need: listsWrite, handle: items.removeItems },
  { method: 'GET', path: operation, need: listsRead, handle: items.getOperation },
  { method: 'GET', path: tiered, need: zoneRead, handle: cache.getTieredCache },
  { method: 'PATCH', path: tiered, need: zoneWrite, handle: cache.setTieredCache },
  { method: 'GET', path: smart, need: zoneRead, handle: cache.getSmartTieredCache },
  { method: 'PATCH', path: smart, need: zoneWrite, handle: cache.setSmartTieredCache },
]

/** The endpoints of rulesets, the same for an account and a zone. */
function placed(place: string): Route[] {
  const need = 'own'
  const entrypoint = `${place}/rulesets/phases/:phase/entrypoint`
  const rules = `${place}/rulesets/:ruleset/rules`
  return [
    { method: 'POST', path: `${place}/rulesets`, need, handle: rulesets.createRuleset },
    { method: 'GET', path: entrypoint, need, handle: rulesets.getEntrypoint },
    { method: 'PUT', path: entrypoint, need, handle: rulesets.putEntrypoint },
    { method: 'POST', path: rules, need, handle: rulesets.createRule },
    { method: 'PATCH', path: `${rules}/:rule`, need, handle: rulesets.updateRule },
    { method: 'DELETE', path: `${rules}/:rule`, need, handle: rulesets.deleteRule },
  ]
}
