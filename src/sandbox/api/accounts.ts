import type { Account } from 'cloudflare/resources/accounts/accounts'
import type { Zone } from 'cloudflare/resources/zones/zones'
import type { SandboxToken, SandboxZone, World } from '../world.ts'
import { groupsOf, isPermitted, isVisible } from './permits.ts'
import { ok, Refusal } from './refusal.ts'
import { type ApiRequest, type Handler, page, param } from './request.ts'

/** Accounts that the token has any permission for; a token for buckets alone may not ask. */
export const listAccounts: Handler = ({ world }, request) => {
  const bucketsOnly = groupsOf(request.actor).every(
    ({ scope }) => scope === 'com.cloudflare.edge.r2.bucket',
  )
  if (bucketsOnly) throw new Refusal('not-permitted')
  const name = request.query.get('name')
  const seen = world.accounts.filter(
    (account) =>
      isVisible(request.actor, { is: 'account', id: account.id }) &&
      (name === null || account.name === name),
  )
  const ordered = request.query.get('direction') === 'desc' ? seen.reverse() : seen
  return page(request, ordered.map(describeAccount), { fallback: 20, min: 5, max: 50 })
}

export const getAccount: Handler = ({ world }, request) => {
  const id = param(request, 'account')
  const account = world.accounts.find((known) => known.id === id)
  if (account === undefined || !isVisible(request.actor, { is: 'account', id })) {
    throw new Refusal('not-permitted')
  }
  return ok<Account>(describeAccount(account))
}

function describeAccount(account: World['accounts'][number]): Account {
  const settings = { enforce_twofactor: false }
  const { id, name } = account
  return { id, name, type: 'standard', settings, created_on: '2024-01-01T00:00:00Z' }
}

const listsZones = ['Zone Read', 'Zone Write']
const readsZones = [...listsZones, 'DNS Read', 'DNS Write']

/** Zones that the token may read, by name, account.id, status and type. */
export const listZones: Handler = ({ world }, request) => {
  if (!groupsOf(request.actor).some(({ name }) => listsZones.includes(name))) {
    throw new Refusal('not-permitted')
  }
  const zones = world.zones
    .filter((zone) => mayRead(request.actor, zone, listsZones) && matches(zone, request))
    .sort((a, b) => a.name.localeCompare(b.name))
  const ordered = request.query.get('direction') === 'desc' ? zones.reverse() : zones
  const described = ordered.map((zone) => describeZone(zone, world))
  return page(request, described, { fallback: 20, min: 5, max: 50 })
}

export const getZone: Handler = ({ world }, request) => {
  const zone = world.zones.find(({ id }) => id === param(request, 'zone'))
  if (zone === undefined || !mayRead(request.actor, zone, readsZones)) {
    throw new Refusal('not-permitted')
  }
  return ok<Zone>(describeZone(zone, world))
}

function mayRead(actor: SandboxToken, zone: SandboxZone, groups: readonly string[]): boolean {
  return isPermitted(actor, groups, { is: 'zone', id: zone.id, accountId: zone.accountId })
}

function matches(zone: SandboxZone, request: ApiRequest): boolean {
  const { query } = request
  const equals = (name: string, value: string) => (query.get(name) ?? value) === value
  const types = query.get('type')?.split(',')
  return (
    matchesName(zone.name, query.get('name')) &&
    equals('account.id', zone.accountId) &&
    equals('status', zone.status) &&
    (types === undefined || types.includes(zone.type))
  )
}

/** `name` is exact unless it begins with an operator such as `ends_with:`. */
function matchesName(name: string, filter: string | null): boolean {
  if (filter === null) return true
  const [, operator = 'equal', rest = ''] = /^(?:([a-z_]+):)?(.*)$/s.exec(filter) ?? []
  const wanted = operator.endsWith('_case_sensitive') ? rest : rest.toLowerCase()
  switch (operator.replace(/_case_sensitive$/, '')) {
    case 'equal':
      return name === wanted
    case 'not_equal':
      return name !== wanted
    case 'starts_with':
      return name.startsWith(wanted)
    case 'ends_with':
      return name.endsWith(wanted)
    case 'contains':
      return name.includes(wanted)
    default:
      throw new Refusal('bad-query', 'The operator of name is unknown.')
  }
}

function describeZone(zone: SandboxZone, world: World): Zone {
  const owner = world.accounts.find(({ id }) => id === zone.accountId)
  const account = { id: zone.accountId, name: owner?.name ?? '' }
  const created = '2024-01-01T00:00:00.000000Z'
  return {
    id: zone.id,
    name: zone.name,
    status: zone.status,
    paused: zone.paused,
    type: zone.type,
    development_mode: 0,
    name_servers: zone.type === 'full' ? ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'] : [],
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    created_on: created,
    modified_on: created,
    activated_on: zone.status === 'active' ? created : null,
    meta: { step: 2, custom_certificate_quota: 0, page_rule_quota: 3, phishing_detected: false },
    owner: { id: zone.accountId, type: 'organization', name: account.name },
    account,
    plan: { id: '0'.repeat(32), name: 'Free Website', price: 0, legacy_id: 'free' },
  }
}
