import { Problem } from '../core/problem.ts'
import { inactiveToken } from '../flow/token.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import {
  type BootstrapToken,
  type CloudflarePort,
  type KeyOwner,
  type Permission,
  permissionNames,
} from '../services/cloudflare/port.ts'
import { isForbidden } from '../services/cloudflare/refusal.ts'

type Needs = 'cloudflare' | 'setup'
type At = Pick<World, Needs>

/** The bootstrap token: active, and allowed to do all that the later steps need. */
export const token: Step<Needs> = {
  id: 'token',
  title: 'API token',

  async look(at): Promise<Finding> {
    // Asked beside who it is, which is the better answer where it is not good at all.
    const asking = missingPermissions(at)
    asking.catch(() => undefined)
    const token = await at.setup.token()
    if (token.status !== 'active') return { is: 'blocked', problem: inactiveToken(token.status) }
    const missing = await asking
    if (missing.length > 0) return { is: 'blocked', problem: notAllowed(missing) }
    const owner = token.kind === 'account' ? 'account-owned' : 'user'
    const expiry = token.expiresOn === undefined ? 'no expiry' : `until ${token.expiresOn}`
    return { is: 'ready', note: `${owner}, all permissions there, ${expiry}`, facts: { token } }
  },
}

/** Each needed permission and the steps that would fail without it. */
function needed({ setup }: At): Need[] {
  return neededFor(setup.owner)
}

interface Need {
  readonly permission: Permission
  readonly steps: string
}

function neededFor(owner: KeyOwner): Need[] {
  return [
    { permission: 'r2', steps: 'bucket, custom domain, CORS, lifecycle' },
    { permission: mintingPermission(owner), steps: 'access key' },
    { permission: 'zone', steps: 'custom domain' },
    { permission: 'dns', steps: 'custom domain (is the host name free?)' },
  ]
}

/** Groups that only read; a token with the reading one alone passes every read. */
const readAndWrite: Partial<Record<Permission, readonly [read: string, write: string]>> = {
  r2: ['Workers R2 Storage Read', 'Workers R2 Storage Write'],
  'account-tokens': ['Account API Tokens Read', 'Account API Tokens Write'],
  'user-tokens': ['API Tokens Read', 'API Tokens Write'],
}

function readsOnly(permission: Permission, groups: readonly string[] | undefined): boolean {
  const [read, write] = readAndWrite[permission] ?? []
  if (read === undefined || write === undefined || groups === undefined) return false
  return groups.includes(read) && !groups.includes(write)
}

/** Whether the token may look at this and not change it, as far as it tells of itself. */
export async function readsAlone(
  { cloudflare, setup }: At,
  permission: Permission,
): Promise<boolean> {
  const groups = await permissionGroups({ cloudflare, minting: setup })
  return readsOnly(permission, groups)
}

async function missingPermissions({ cloudflare, setup }: At) {
  const scope = { accountId: setup.at.accountId, zoneId: setup.zone.id }
  const [groups, answers] = await Promise.all([
    permissionGroups({ cloudflare, minting: setup }),
    Promise.all(
      needed({ cloudflare, setup }).map(async (need) => ({
        ...need,
        granted: await cloudflare.can(need.permission, scope),
      })),
    ),
  ])
  return answers.filter(({ permission, granted }) => !granted || readsOnly(permission, groups))
}

/** Of the token itself: among the keys of its owner, which the access key's step lists, too. */
async function permissionGroups({ cloudflare, minting }: Pick<World, MintingNeeds>) {
  const listing = cloudflare.listKeys(minting.owner, '').catch((error: unknown) => {
    if (error instanceof Problem) return []
    throw error
  })
  const [token, keys] = await Promise.all([minting.token(), listing])
  const listed = keys.find(({ id }) => id === token.id)
  return listed?.groups ?? cloudflare.ownPermissionGroups(token, minting.at.accountId)
}

function notAllowed(missing: readonly Need[], seen = ''): Problem {
  const lines = missing.map(({ permission, steps }) => {
    return `  ${permissionNames[permission]} (for: ${steps})`
  })
  return new Problem({
    code: 'permissions-missing',
    what: `The API token lacks ${missing.length === 1 ? 'a permission' : 'permissions'}.`,
    why: `${`${seen} `.trimStart()}It can't do this:\n${lines.join('\n')}`,
    next: 'Edit the token at https://dash.cloudflare.com/?to=/:account/api-tokens (or, for a user token, https://dash.cloudflare.com/profile/api-tokens), add what is missing, and run this again.',
  })
}

/**
 * Problem `permissions-missing` for a token that sees no domain at all, such as one of the R2 page; each
 * permission that it lacks is named. Undefined when it sees one.
 */
export async function withoutZones(
  cloudflare: CloudflarePort,
  token: () => Promise<BootstrapToken>,
  accountId: string,
): Promise<Problem | undefined> {
  const forbidden = (error: unknown): [] => {
    if (error instanceof Problem && isForbidden(error)) return []
    throw error
  }
  const zones = await cloudflare.listZones(accountId).catch(forbidden)
  if (zones.length > 0) return undefined
  const { kind } = await token()
  const owner: KeyOwner = kind === 'account' ? { kind, accountId } : { kind }
  const tokens = ['account-tokens', 'user-tokens'] as const
  const [mayR2, ...mayMintAs] = await Promise.all([
    cloudflare.can('r2', { accountId }),
    ...tokens.map((permission) => cloudflare.can(permission, { accountId })),
  ])
  const missing = neededFor(owner).filter(({ permission }) => {
    if (permission === 'r2') return !mayR2
    return !tokens.some((name) => name === permission) || !mayMintAs.some((may) => may)
  })
  return notAllowed(missing, ' Cloudflare shows it no domain of this account.')
}

type MintingNeeds = 'cloudflare' | 'minting'

/** The API token may make and remove keys; a rotation needs nothing else at Cloudflare. */
export const mintingToken: Step<MintingNeeds> = {
  id: 'token',
  title: 'API token',

  async look(at): Promise<Finding> {
    const permission = mintingPermission(at.minting.owner)
    if (!(await mayMint(at, permission))) {
      const missing = { permission, steps: 'making and removing keys' }
      return { is: 'blocked', problem: notAllowed([missing]) }
    }
    const token = await at.minting.token()
    const expiry = token.expiresOn === undefined ? 'no expiry' : `until ${token.expiresOn}`
    return { is: 'ready', note: `may make and remove keys, ${expiry}` }
  },
}

function mintingPermission(owner: KeyOwner): Permission {
  return owner.kind === 'account' ? 'account-tokens' : 'user-tokens'
}

async function mayMint(
  { cloudflare, minting }: Pick<World, MintingNeeds>,
  permission: Permission,
): Promise<boolean> {
  const { accountId } = minting.at
  const [may, groups] = await Promise.all([
    cloudflare.can(permission, { accountId }),
    permissionGroups({ cloudflare, minting }),
  ])
  return may && !readsOnly(permission, groups)
}
