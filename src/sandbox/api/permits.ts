import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { PermissionGroupListResponse } from 'cloudflare/resources/accounts/tokens/permission-groups'
import type { SandboxToken, World } from '../world.ts'
import { Refusal } from './refusal.ts'
import { isObject } from './request.ts'

type Scope = NonNullable<PermissionGroupListResponse['scopes']>[number]

export interface PermissionGroup {
  readonly id: string
  readonly name: string
  readonly scope: Scope
}

const account = 'com.cloudflare.api.account'
const zone = 'com.cloudflare.api.account.zone'
const user = 'com.cloudflare.api.user'
const bucket = 'com.cloudflare.edge.r2.bucket'

/**
 * The permission groups that the sandbox knows. Names are Cloudflare's; the id of "Bucket Item
 * Write" is the one in its R2 docs (r2/api/tokens), the other ids given here are in public use.
 * Groups without one get an id made from their name: real ids must be looked up by name.
 */
export const permissionGroups: readonly PermissionGroup[] = [
  group('Workers R2 Storage Write', account, 'bf7481a1826f439697cb59a20b22293e'),
  group('Workers R2 Storage Read', account, 'b4992e1108244f5d8bfbd5744320c2e1'),
  group('Workers R2 Storage Bucket Item Write', bucket, '2efd5506f9c8494dacb1fa10a3e7d5b6'),
  group('Workers R2 Storage Bucket Item Read', bucket, '6a018a9f2fc74eb6b293b0c548f38b39'),
  group('Account API Tokens Write', account),
  group('Account API Tokens Read', account),
  group('Account Settings Read', account),
  group('API Tokens Write', user),
  group('API Tokens Read', user),
  group('Zone Write', zone),
  group('Zone Read', zone),
  group('DNS Write', zone),
  group('DNS Read', zone),
  ...pair('Dynamic URL Redirects', zone),
  ...pair('Zone Transform Rules', zone),
  ...pair('Cache Settings', zone),
  ...pair('Zone WAF', zone),
  ...pair('Zone Settings', zone),
  ...pair('Account Rulesets', account),
  ...pair('Account Rule Lists', account),
  ...pair('Mass URL Redirects', account),
  group('Account Analytics Read', account, 'b89a480218d04ceb98b4fe57ca29dc1f'),
  group('Cache Purge', zone),
]

export function findPermissionGroup(id: string): PermissionGroup | undefined {
  return permissionGroups.find((known) => known.id === id)
}

/** The id of a group by its name; throws for a name that the sandbox does not know. */
export function permissionGroupId(name: string): string {
  const found = permissionGroups.find((known) => known.name === name)
  if (found === undefined) throw new Error(`No permission group is called ${name}.`)
  return found.id
}

function pair(name: string, scope: Scope): PermissionGroup[] {
  return [group(`${name} Write`, scope), group(`${name} Read`, scope)]
}

function group(name: string, scope: Scope, id?: string): PermissionGroup {
  return { name, scope, id: id ?? createHash('sha256').update(name).digest('hex').slice(0, 32) }
}

/** Something that a permission can be given for. */
export type Resource =
  | { readonly is: 'account'; readonly id: string }
  | { readonly is: 'zone'; readonly id: string; readonly accountId: string }
  | { readonly is: 'user' }

interface Policy {
  readonly effect: unknown
  readonly groups: readonly PermissionGroup[]
  readonly resources: Readonly<Record<string, unknown>>
}

/** Whether the token holds one of the named permission groups for the resource; a deny wins. */
export function isPermitted(
  token: SandboxToken,
  groupNames: readonly string[],
  resource: Resource,
): boolean {
  const about = policiesOf(token).filter(
    ({ groups, resources }) =>
      groups.some(({ name }) => groupNames.includes(name)) && covers(resources, resource),
  )
  return about.length > 0 && about.every(({ effect }) => effect === 'allow')
}

/** Whether any policy allows anything for the resource. */
export function isVisible(token: SandboxToken, resource: Resource): boolean {
  return policiesOf(token).some(
    ({ effect, resources }) => effect === 'allow' && covers(resources, resource),
  )
}

/** The permission groups of a token, wherever they apply. */
export function groupsOf(token: SandboxToken): readonly PermissionGroup[] {
  return policiesOf(token).flatMap(({ groups }) => groups)
}

const accountKey = 'com.cloudflare.api.account.'
const zoneKey = 'com.cloudflare.api.account.zone.'
const userKey = 'com.cloudflare.api.user.'

/** Resource names as Cloudflare writes them; `{account: {zone.*: "*"}}` means its zones only. */
function covers(resources: Policy['resources'], resource: Resource): boolean {
  return Object.entries(resources).some(([key, value]) => {
    switch (resource.is) {
      case 'account':
        return value === '*' && isNamed(key, accountKey, resource.id)
      case 'zone':
        return (
          (value === '*' && isNamed(key, zoneKey, resource.id)) ||
          (isObject(value) &&
            isNamed(key, accountKey, resource.accountId) &&
            Object.keys(value).some((inner) => isNamed(inner, zoneKey, resource.id)))
        )
      case 'user':
        return value === '*' && key.startsWith(userKey)
      default:
        return resource satisfies never
    }
  })
}

function isNamed(key: string, prefix: string, id: string): boolean {
  return key === `${prefix}${id}` || key === `${prefix}*`
}

function policiesOf(token: SandboxToken): Policy[] {
  return token.policies.filter(isObject).map((policy) => ({
    effect: policy.effect,
    groups: groupList(policy.permission_groups),
    resources: isObject(policy.resources) ? policy.resources : {},
  }))
}

function groupList(groups: unknown): PermissionGroup[] {
  if (!Array.isArray(groups)) return []
  return groups.filter(isObject).flatMap(({ id }) => findPermissionGroup(String(id)) ?? [])
}

/** The bearer's text; undefined when no usable Authorization header came. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

/** The token behind the bearer, whatever its status. */
export function findToken(world: World, bearer: string): SandboxToken | undefined {
  return world.tokens.find(({ value }) => value === bearer)
}

/** The active token behind the request; refused otherwise. */
export function authenticate(
  world: World,
  headers: IncomingHttpHeaders,
  now: number,
): SandboxToken {
  const bearer = bearerOf(headers)
  if (bearer === undefined) throw new Refusal('no-token')
  const token = findToken(world, bearer)
  if (token === undefined) throw new Refusal('unknown-token')
  const started = token.notBefore === undefined || Date.parse(token.notBefore) <= now
  if (tokenStatus(token, now) !== 'active' || !started) throw new Refusal('refused-token')
  return token
}

/** The status as of now: a token expires by itself. `now`: milliseconds since the epoch. */
export function tokenStatus(token: SandboxToken, now: number): SandboxToken['status'] {
  const expired = token.expiresOn !== undefined && Date.parse(token.expiresOn) <= now
  return expired ? 'expired' : token.status
}
