import type { SandboxToken } from '../world.ts'
import { findPermissionGroup, type PermissionGroup } from './permission-groups.ts'
import { isObject } from './request.ts'

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
