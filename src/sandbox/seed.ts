import { randomBytes } from 'node:crypto'
import { Secret } from '../core/secret.ts'
import { findPermissionGroup, permissionGroupId } from './api/permits.ts'
import { createEdgeState } from './edge/state.ts'
import type { Delays, SandboxToken, SandboxZone, World } from './world.ts'

export interface SeedOptions {
  /** `account` unless told. */
  readonly tokenKind?: 'account' | 'user'
  /** Accounts in order; the first owns the token. One called "Sandbox" unless told. */
  readonly accounts?: readonly SeedAccount[]
  /** An active full zone `example.com` in the first account unless told. */
  readonly zones?: readonly SeedZone[]
  /** Permission group names of the bootstrap token; all that setup and rules need unless told. */
  readonly permissions?: readonly string[]
  /** RFC 3339. */
  readonly expiresOn?: string
  readonly delays?: Partial<Delays>
  readonly clock?: () => number
}

interface SeedAccount {
  readonly name: string
  /** true unless told. */
  readonly r2Enabled?: boolean
}

interface SeedZone {
  readonly name: string
  /** Name of its account; the first account unless told. */
  readonly account?: string
  readonly status?: SandboxZone['status']
  readonly type?: SandboxZone['type']
  readonly paused?: boolean
}

/** A fresh world with a bootstrap token that can do the whole setup. Ids are random. */
export function seedWorld(options: SeedOptions = {}): { world: World; bootstrapToken: Secret } {
  const accounts = (options.accounts ?? [{ name: 'Sandbox' }]).map((account) => ({
    id: hex(16),
    name: account.name,
    r2Enabled: account.r2Enabled ?? true,
  }))
  const zones = (options.zones ?? [{ name: 'example.com' }]).map((zone) => ({
    id: hex(16),
    name: zone.name,
    accountId: accountOf(zone, accounts),
    status: zone.status ?? 'active',
    type: zone.type ?? 'full',
    paused: zone.paused ?? false,
  }))
  const token = bootstrap(options, accounts[0]?.id)
  const delays = { domainMs: 2000, keyMs: 1000, requestMs: 0, ...options.delays }
  return {
    world: {
      accounts,
      zones,
      dnsRecords: [],
      buckets: [],
      tokens: [token],
      delays,
      edge: createEdgeState(),
      analytics: { operations: [], storage: [] },
    },
    bootstrapToken: new Secret(token.value),
  }
}

function accountOf(zone: SeedZone, accounts: World['accounts']): string {
  const found = accounts.find(({ name }) => zone.account === undefined || name === zone.account)
  if (found === undefined) throw new Error(`No account for zone ${zone.name}.`)
  return found.id
}

/** An account-owned token reaches its account; a user's reaches every account and the user. */
function bootstrap(options: SeedOptions, firstAccount: string | undefined): SandboxToken {
  const kind = options.tokenKind ?? 'account'
  const minting =
    kind === 'user' ? ['API Tokens Write', 'Account API Tokens Write'] : accountMinting
  const permissions = options.permissions ?? [
    ...minting,
    ...setup,
    ...edge,
    ...redirects,
    ...afterwards,
  ]
  const account = `com.cloudflare.api.account.${kind === 'user' ? '*' : firstAccount}`
  const allZones = { 'com.cloudflare.api.account.zone.*': '*' }
  const grants = [
    { resources: { [account]: '*' }, scope: 'com.cloudflare.api.account' },
    {
      resources: kind === 'user' ? allZones : { [account]: allZones },
      scope: 'com.cloudflare.api.account.zone',
    },
    {
      resources: { [`com.cloudflare.api.user.${hex(16)}`]: '*' },
      scope: 'com.cloudflare.api.user',
    },
  ]
  const policies = grants.flatMap(({ resources, scope }) => {
    const groups = permissions.filter(
      (name) => findPermissionGroup(permissionGroupId(name))?.scope === scope,
    )
    const permission_groups = groups.map((name) => ({ id: permissionGroupId(name), name }))
    return groups.length === 0
      ? []
      : [{ id: hex(16), effect: 'allow', permission_groups, resources }]
  })
  return {
    id: hex(16),
    name: 'Bootstrap token of the sandbox',
    value: `${kind === 'user' ? 'cfut_' : 'cfat_'}${hex(24)}`,
    kind,
    accountId: kind === 'account' ? firstAccount : undefined,
    status: 'active',
    policies,
    condition: undefined,
    expiresOn: options.expiresOn,
    issuedAt: (options.clock ?? Date.now)(),
  }
}

const accountMinting = ['Account API Tokens Write']
const setup = ['Workers R2 Storage Write', 'Zone Read', 'DNS Read']
const edge = [
  'Zone Transform Rules Write',
  'Cache Settings Write',
  'Zone WAF Write',
  'Zone Settings Write',
]
const redirects = [
  'Dynamic URL Redirects Write',
  'Account Rulesets Write',
  'Account Rule Lists Write',
]

/** What `usage` and `purge` need. */
const afterwards = ['Account Analytics Read', 'Cache Purge']

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}
