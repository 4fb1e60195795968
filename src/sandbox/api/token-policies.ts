import { randomBytes } from 'node:crypto'
import type { TokenPolicy } from 'cloudflare/resources/shared'
import type { SandboxToken, World } from '../world.ts'
import { findPermissionGroup, type PermissionGroup } from './permission-groups.ts'
import { isPermitted } from './permits.ts'
import { Refusal } from './refusal.ts'
import { isObject, type JsonObject } from './request.ts'

/** Who will own the token: an account, or the user of the sandbox. */
export type Owner = { readonly accountId: string } | 'user'

/**
 * The policies of a token, checked and given ids. A permission for one zone must be held by whoever
 * asks (Cloudflare says so since 2026); a permission for an account's buckets need not.
 */
export function readPolicies(
  value: unknown,
  owner: Owner,
  actor: SandboxToken,
  world: World,
): TokenPolicy[] {
  if (!Array.isArray(value) || value.length === 0) throw new Refusal('token-body', 'No policies.')
  return value.map((policy) => {
    if (!isObject(policy) || !isObject(policy.resources)) throw new Refusal('token-body')
    const { effect, resources } = policy
    if (effect !== 'allow' && effect !== 'deny') throw new Refusal('token-body', 'Bad effect.')
    const groups = readGroups(policy.permission_groups)
    const names = namedResources(resources)
    if (names.length === 0) throw new Refusal('token-body', 'No resources.')
    for (const { scope, name } of groups) {
      const fitting = names.every((key) => scopeOf(key) === scope && isWithin(key, owner, world))
      const held =
        scope !== 'com.cloudflare.api.account.zone' || holdsAll(actor, name, names, world)
      if (!fitting || !held) throw new Refusal('token-policy')
    }
    const permission_groups = groups.map(({ id, name }) => ({ id, name }))
    const kept = resources as TokenPolicy['resources']
    return { id: randomBytes(16).toString('hex'), effect, permission_groups, resources: kept }
  })
}

function readGroups(value: unknown): PermissionGroup[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new Refusal('token-body', 'No permission groups.')
  }
  return value.map((group) => {
    const known = isObject(group) ? findPermissionGroup(String(group.id)) : undefined
    if (known === undefined) throw new Refusal('token-body', 'Unknown permission group.')
    return known
  })
}

/** The things that resources name; `{account: {inner: "*"}}` names the inner ones, `account` first. */
function namedResources(resources: JsonObject): string[] {
  return Object.entries(resources).flatMap(([key, value]) => {
    if (value === '*') return [key]
    if (!isObject(value)) throw new Refusal('token-body', 'Bad resources.')
    return Object.entries(value).map(([inner, all]) => {
      if (all !== '*') throw new Refusal('token-body', 'Bad resources.')
      return `${key} ${inner}`
    })
  })
}

const patterns: readonly (readonly [PermissionGroup['scope'], RegExp])[] = [
  ['com.cloudflare.api.account.zone', /^com\.cloudflare\.api\.account\.zone\.(\*|[0-9a-f]{32})$/],
  ['com.cloudflare.api.account', /^com\.cloudflare\.api\.account\.(\*|[0-9a-f]{32})$/],
  ['com.cloudflare.api.user', /^com\.cloudflare\.api\.user\.[0-9a-f]{32}$/],
  [
    'com.cloudflare.edge.r2.bucket',
    /^com\.cloudflare\.edge\.r2\.bucket\.(\*|[0-9a-f]{32}_(default|eu|us|fedramp|fedramp-high)_[a-z0-9-]{3,63})$/,
  ],
]

function scopeOf(resource: string): string | undefined {
  const last = resource.split(' ').at(-1) ?? ''
  return patterns.find(([, pattern]) => pattern.test(last))?.[0]
}

/** An account-owned token stays within its account; every token within what the sandbox has. */
function isWithin(resource: string, owner: Owner, world: World): boolean {
  const mine = (id: string) =>
    owner === 'user' ? world.accounts.some((account) => account.id === id) : owner.accountId === id
  return resource.split(' ').every((part) => {
    if (part.startsWith('com.cloudflare.api.user.')) return owner === 'user'
    const [id = '*'] = /(\*|[0-9a-f]{32})(?=_|$)/.exec(part) ?? []
    const zone = world.zones.find((known) => known.id === id)
    if (part.startsWith('com.cloudflare.api.account.zone.') && id !== '*') {
      return zone !== undefined && mine(zone.accountId)
    }
    return id === '*' ? owner === 'user' || resource.includes(' ') : mine(id)
  })
}

function holdsAll(
  actor: SandboxToken,
  group: string,
  names: readonly string[],
  world: World,
): boolean {
  return world.zones
    .filter((zone) => names.some((name) => name.endsWith(`.${zone.id}`)))
    .every(({ id, accountId }) => isPermitted(actor, [group], { is: 'zone', id, accountId }))
}
