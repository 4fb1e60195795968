import type { Call } from './client.ts'
import type { CloudflarePort, Permission, PermissionScope } from './port.ts'
import { Refusal } from './refusal.ts'
import { isRulePermission, lookAtRules, NO_RULES_YET } from './rules-permissions.ts'

/** Keeps the answer small; which group does not matter here. */
const ANY_GROUP = { name: 'Workers R2 Storage Bucket Item Write' }

export function permissions(call: Call): Pick<CloudflarePort, 'can' | 'ownPermissionGroups'> {
  async function ask(permission: Permission, { accountId, zoneId }: PermissionScope) {
    const account_id = accountId
    if (isRulePermission(permission)) return lookAtRules(call, permission, { accountId, zoneId })
    await call('repeatable', async (sdk): Promise<unknown> => {
      if (permission === 'r2') return await sdk.r2.buckets.list({ account_id, per_page: 1 })
      if (permission === 'user-tokens')
        return await sdk.user.tokens.permissionGroups.list(ANY_GROUP)
      if (permission === 'account-tokens') {
        return await sdk.accounts.tokens.permissionGroups.list({ account_id, ...ANY_GROUP })
      }
      if (zoneId === undefined) return await sdk.zones.list({ account: { id: accountId } })
      if (permission === 'zone') return await sdk.zones.get({ zone_id: zoneId })
      return await sdk.dns.records.list({ zone_id: zoneId, per_page: 1 })
    })
  }

  return {
    /**
     * Without a zone id, `zone` and `dns` only tell whether zones may be listed. An account that has
     * not switched R2 on (10042) still counts as permitted. For rules only reading is asked: who may
     * read them may still be refused to write.
     */
    async can(permission, at) {
      try {
        await ask(permission, at)
        return true
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        if (error.numbers.includes(10042) || error.numbers.includes(NO_RULES_YET)) return true
        if (error.isForbidden) return false
        const forUsersOnly = permission === 'user-tokens' && [400, 404].includes(error.status)
        if (forUsersOnly || isWrongKindOfToken(error)) return false
        throw error
      }
    },

    async ownPermissionGroups({ id, kind }, accountId) {
      try {
        const { policies = [] } = await call('repeatable', (sdk) =>
          kind === 'user'
            ? sdk.user.tokens.get(id)
            : sdk.accounts.tokens.get(id, { account_id: accountId }),
        )
        const groups = policies.flatMap(({ permission_groups }) => permission_groups)
        const names = groups.flatMap(({ name }) => name ?? [])
        return names.length === groups.length ? [...new Set(names)] : undefined
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        if (error.isForbidden || error.status === 400 || error.status === 404) return undefined
        throw error
      }
    },
  }
}

/** 400 with 1001 or 1011: "not for account-owned tokens", seen in public issue threads. */
function isWrongKindOfToken({ status, numbers }: Refusal): boolean {
  return status === 400 && numbers.some((number) => number === 1001 || number === 1011)
}
