import { createHash } from 'node:crypto'
import type { PermissionGroupListResponse } from 'cloudflare/resources/accounts/tokens/permission-groups'

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
