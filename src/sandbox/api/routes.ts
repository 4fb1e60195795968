import { getAccount, getZone, listAccounts, listZones } from './accounts.ts'
import {
  createBucket,
  deleteBucket,
  deleteCors,
  getBucket,
  getCors,
  getLifecycle,
  listBuckets,
  listObjects,
  putCors,
  putLifecycle,
} from './buckets.ts'
import * as custom from './domains.ts'
import { getManagedDomain, listDnsRecords, updateManagedDomain } from './domains.ts'
import * as lists from './lists.ts'
import { purgeCache } from './purge.ts'
import type { Need, Route } from './request.ts'
import * as rulesets from './rulesets.ts'
import * as cache from './rulesets-rule.ts'
import * as jobs from './slurper-jobs.ts'
import * as tokens from './tokens.ts'

const listsWrite: Need = { groups: ['Account Rule Lists Write'], on: 'account' }
const listsRead: Need = { groups: [...listsWrite.groups, 'Account Rule Lists Read'], on: 'account' }
const zoneWrite: Need = { groups: ['Zone Settings Write', 'Zone Write'], on: 'zone' }
const zoneRead: Need = {
  groups: [...zoneWrite.groups, 'Zone Settings Read', 'Zone Read'],
  on: 'zone',
}

const allLists = '/accounts/:account/rules/lists'
const oneList = `${allLists}/:list`
const operation = `${allLists}/bulk_operations/:operation`
const tiered = '/zones/:zone/argo/tiered_caching'
const smart = '/zones/:zone/cache/tiered_cache_smart_topology_enable'

/** Rules, redirect lists and cache switches. What a phase needs of a token is its handlers' to ask. */
export const rulesetsRoutes: readonly Route[] = [
  ...placed('/accounts/:account'),
  ...placed('/zones/:zone'),
  { method: 'GET', path: allLists, need: listsRead, handle: lists.listLists },
  { method: 'POST', path: allLists, need: listsWrite, handle: lists.createList },
  { method: 'GET', path: oneList, need: listsRead, handle: lists.getList },
  { method: 'DELETE', path: oneList, need: listsWrite, handle: lists.deleteList },
  { method: 'GET', path: `${oneList}/items`, need: listsRead, handle: lists.listItems },
  { method: 'POST', path: `${oneList}/items`, need: listsWrite, handle: lists.addItems },
  { method: 'PUT', path: `${oneList}/items`, need: listsWrite, handle: lists.replaceItems },
  { method: 'DELETE', path: `${oneList}/items`, need: listsWrite, handle: lists.removeItems },
  { method: 'GET', path: operation, need: listsRead, handle: lists.getOperation },
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

/** Which permission it takes is not written down; the one for R2 is the likely one. */
const slurperWrite: Need = { groups: ['Workers R2 Storage Write'], on: 'account' }

const slurper = '/accounts/:account/slurper'
const slurperJobs = `${slurper}/jobs`
const slurperJob = `${slurperJobs}/:job`

/** Super Slurper, every endpoint that the description knows. */
export const slurperRoutes: readonly Route[] = [
  {
    method: 'PUT',
    path: `${slurper}/source/connectivity-precheck`,
    need: slurperWrite,
    handle: jobs.precheckSource,
  },
  {
    method: 'PUT',
    path: `${slurper}/target/connectivity-precheck`,
    need: slurperWrite,
    handle: jobs.precheckTarget,
  },
  { method: 'GET', path: slurperJobs, need: slurperWrite, handle: jobs.listJobs },
  { method: 'POST', path: slurperJobs, need: slurperWrite, handle: jobs.createJob },
  { method: 'PUT', path: `${slurperJobs}/abortAll`, need: slurperWrite, handle: jobs.abortAllJobs },
  { method: 'GET', path: slurperJob, need: slurperWrite, handle: jobs.getJob },
  { method: 'DELETE', path: slurperJob, need: slurperWrite, handle: jobs.deleteJob },
  { method: 'GET', path: `${slurperJob}/progress`, need: slurperWrite, handle: jobs.getProgress },
  { method: 'GET', path: `${slurperJob}/logs`, need: slurperWrite, handle: jobs.listLogs },
  { method: 'PUT', path: `${slurperJob}/pause`, need: slurperWrite, handle: jobs.pauseJob },
  { method: 'PUT', path: `${slurperJob}/resume`, need: slurperWrite, handle: jobs.resumeJob },
  { method: 'PUT', path: `${slurperJob}/abort`, need: slurperWrite, handle: jobs.abortJob },
]

const r2Write: Need = { groups: ['Workers R2 Storage Write'], on: 'account' }
const r2Read: Need = { groups: [...r2Write.groups, 'Workers R2 Storage Read'], on: 'account' }
const dnsRead: Need = { groups: ['DNS Read', 'DNS Write'], on: 'zone' }
const cachePurge: Need = { groups: ['Cache Purge'], on: 'zone' }

const buckets = '/accounts/:account/r2/buckets'
const bucket = `${buckets}/:bucket`
const domain = `${bucket}/domains/custom/:domain`

/** Every endpoint of the sandbox but the two that verify a token; permissions as in the OpenAPI. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/accounts', need: 'own', handle: listAccounts },
  { method: 'GET', path: '/accounts/:account', need: 'own', handle: getAccount },
  { method: 'GET', path: '/zones', need: 'own', handle: listZones },
  { method: 'GET', path: '/zones/:zone', need: 'own', handle: getZone },
  { method: 'GET', path: '/zones/:zone/dns_records', need: dnsRead, handle: listDnsRecords },
  { method: 'POST', path: '/zones/:zone/purge_cache', need: cachePurge, handle: purgeCache },

  { method: 'GET', path: buckets, need: r2Read, handle: listBuckets },
  { method: 'POST', path: buckets, need: r2Write, handle: createBucket },
  { method: 'GET', path: bucket, need: r2Read, handle: getBucket },
  { method: 'DELETE', path: bucket, need: r2Write, handle: deleteBucket },
  { method: 'GET', path: `${bucket}/objects`, need: r2Read, handle: listObjects },
  { method: 'GET', path: `${bucket}/cors`, need: r2Read, handle: getCors },
  { method: 'PUT', path: `${bucket}/cors`, need: r2Write, handle: putCors },
  { method: 'DELETE', path: `${bucket}/cors`, need: r2Write, handle: deleteCors },
  { method: 'GET', path: `${bucket}/lifecycle`, need: r2Read, handle: getLifecycle },
  { method: 'PUT', path: `${bucket}/lifecycle`, need: r2Write, handle: putLifecycle },
  { method: 'GET', path: `${bucket}/domains/managed`, need: r2Read, handle: getManagedDomain },
  { method: 'PUT', path: `${bucket}/domains/managed`, need: r2Write, handle: updateManagedDomain },
  {
    method: 'GET',
    path: `${bucket}/domains/custom`,
    need: r2Read,
    handle: custom.listCustomDomains,
  },
  {
    method: 'POST',
    path: `${bucket}/domains/custom`,
    need: r2Write,
    handle: custom.attachCustomDomain,
  },
  { method: 'GET', path: domain, need: r2Read, handle: custom.getCustomDomain },
  { method: 'PUT', path: domain, need: r2Write, handle: custom.updateCustomDomain },
  { method: 'DELETE', path: domain, need: r2Write, handle: custom.detachCustomDomain },

  ...slurperRoutes,

  ...rulesetsRoutes,

  ...tokenRoutes('/accounts/:account/tokens', 'Account API Tokens', 'account'),
  ...tokenRoutes('/user/tokens', 'API Tokens', 'user'),
]

/** The same seven endpoints for tokens of an account and of the user. */
function tokenRoutes(base: string, groups: string, on: Need['on']): Route[] {
  const write: Need = { groups: [`${groups} Write`], on }
  const read: Need = { groups: [`${groups} Write`, `${groups} Read`], on }
  const one = `${base}/:token`
  return [
    {
      method: 'GET',
      path: `${base}/permission_groups`,
      need: read,
      handle: tokens.listPermissionGroups,
    },
    { method: 'GET', path: base, need: read, handle: tokens.listTokens },
    { method: 'POST', path: base, need: write, handle: tokens.createToken },
    { method: 'GET', path: one, need: read, handle: tokens.getToken },
    { method: 'PUT', path: one, need: write, handle: tokens.updateToken },
    { method: 'DELETE', path: one, need: write, handle: tokens.deleteToken },
    { method: 'PUT', path: `${one}/value`, need: write, handle: tokens.rollToken },
  ]
}
