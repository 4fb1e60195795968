import type { Zone as SdkZone } from 'cloudflare/resources/zones/zones'
import { Problem } from '../../core/problem.ts'
import type { Secret } from '../../core/secret.ts'
import { prose } from '../../core/to-type.ts'
import { allPages, type Call } from './call.ts'
import { groupNames } from './keys.ts'
import { TOKENS } from './named-causes.ts'
import {
  type Account,
  type BootstrapToken,
  type CloudflarePort,
  type Permission,
  type PermissionScope,
  permissionNames,
  type TokenKind,
  type Zone,
} from './port.ts'
import { Refusal } from './refusal.ts'
import { isRulePermission, lookAtRules, NO_RULES_YET } from './rules.ts'
import { kindOf, OddAnswer, textIn } from './wire.ts'

interface Verified {
  id: string
  status: BootstrapToken['status']
  expires_on?: string
}

/** More accounts than an account-owned token will ever see. */
const ACCOUNTS_TRIED = 10

export function accounts(
  call: Call,
  token: Secret,
): Pick<CloudflarePort, 'kindByForm' | 'identifyToken' | 'listAccounts'> {
  let known: Promise<Account[]> | undefined

  /** Asked once: they don't change while a setup runs. */
  function listAccounts(): Promise<Account[]> {
    known ??= loadAccounts().catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }

  /** An account-owned token was once refused at /accounts: then its zones tell. */
  async function loadAccounts(): Promise<Account[]> {
    let refusal: Refusal | undefined
    try {
      const found = await allPages((page) =>
        call('repeatable', (sdk) => sdk.accounts.list({ page, per_page: 50 })),
      )
      if (found.length > 0) {
        return found.map((account) => ({ id: textIn(account, 'id'), name: account.name }))
      }
    } catch (error) {
      if (!(error instanceof Refusal) || !isClientFault(error)) throw error
      refusal = error
    }
    try {
      return accountsOf((await zones(call).listZones()).map(({ account }) => account))
    } catch (error) {
      throw error instanceof Refusal && refusal ? refusal : error
    }
  }

  async function verifyAsUser(): Promise<BootstrapToken> {
    return tokenFrom('user', await call('repeatable', (sdk) => sdk.user.tokens.verify()))
  }

  async function verifyAsAccount(accountId: string): Promise<BootstrapToken> {
    const send = () =>
      call('repeatable', (sdk) => sdk.accounts.tokens.verify({ account_id: accountId }))
    return tokenFrom('account', await send())
  }

  /** `fallback` is what a person should read when no account knows the token. */
  async function findOwner(accountId: string | undefined, fallback?: Refusal) {
    let refusal = fallback
    let listing: Refusal | undefined
    const ids = accountId === undefined ? [] : [accountId]
    try {
      if (accountId === undefined) ids.push(...(await listAccounts()).map(({ id }) => id))
    } catch (error) {
      if (!(error instanceof Refusal) || !isClientFault(error)) throw error
      // 9109: a good token that may not list accounts. All else says what is wrong with the token.
      if (!error.numbers.includes(9109) || error.namesCause) refusal = telling(refusal, error)
      listing = error
    }
    for (const id of ids.slice(0, ACCOUNTS_TRIED)) {
      try {
        return await verifyAsAccount(id)
      } catch (error) {
        if (!(error instanceof Refusal) || !isClientFault(error)) throw error
        refusal = telling(refusal, error)
      }
    }
    if (accountId !== undefined && !fallback && refusal?.isForbidden && !refusal.namesCause) {
      throw notOfAccount(accountId, refusal)
    }
    throw refusal ?? noAccount(listing)
  }

  return {
    listAccounts,
    kindByForm: async () => kindByForm(token.reveal()),
    async identifyToken(accountId) {
      const kind = kindByForm(token.reveal())
      if (kind === 'account') return await findOwner(accountId)
      if (kind === 'user') return await verifyAsUser()
      try {
        return await verifyAsUser()
      } catch (error) {
        if (!(error instanceof Refusal) || !isClientFault(error)) throw error
        return await findOwner(accountId, error)
      }
    },
  }
}

/**
 * Prefixes of tokens made since 2026 (Cloudflare docs, API token formats); older ones have none.
 * Throws Problem `cloudflare-token-kind` for what is no API token.
 */
function kindByForm(text: string): TokenKind | undefined {
  if (/^(Bearer:?|["'`]|[A-Z_]+=)/.test(text) || /["'`,;]$/.test(text)) throw wrapped(text)
  if (/^[0-9a-f]{37}$/.test(text)) throw wrongKind('the Global API Key')
  if (/^v1\.0-[0-9a-f]{24}-/.test(text)) throw wrongKind('an Origin CA key')
  if (/^[0-9a-f]{64}$/.test(text)) throw wrongKind('an S3 secret access key')
  if (/^[0-9a-f]{32}$/.test(text)) throw wrongKind('an id (of an account, a zone or an access key)')
  if (/^eyJ/.test(text)) throw wrongKind('a tunnel token or a JWT')
  if (text.startsWith('cfut_')) return 'user'
  if (text.startsWith('cfat_')) return 'account'
  if (text.startsWith('cfk_')) throw wrongKind('the Global API Key')
  if (text.startsWith('cfoat_')) throw wrongKind('the login of wrangler')
  return undefined
}

/** Throws OddAnswer for an answer of another form. */
function tokenFrom(kind: TokenKind, answer: Verified | null | undefined): BootstrapToken {
  if (typeof answer !== 'object' || answer === null) {
    throw new OddAnswer(`the token was expected, and ${kindOf(answer)} came`)
  }
  const [id, status] = [textIn(answer, 'id'), textIn(answer, 'status') as Verified['status']]
  const { expires_on } = answer
  return { id, kind, status, ...(expires_on ? { expiresOn: expires_on } : {}) }
}

function accountsOf(found: readonly Account[]): Account[] {
  return [...new Map(found.map((account) => [account.id, account])).values()]
}

/** The first refusal, unless a later one names a cause. */
function telling(first: Refusal | undefined, next: Refusal): Refusal {
  return first === undefined || (next.namesCause && !first.namesCause) ? next : first
}

function isClientFault({ status }: Refusal): boolean {
  return status < 500 && status !== 429
}

/** What often comes along when a token is pasted. */
function wrapped(text: string): Problem {
  const around =
    /^["'`]/.test(text) || /["'`]$/.test(text) ? 'It is in quotes' : 'Something is around it'
  return new Problem({
    code: 'cloudflare-token-wrapped',
    what: 'This is not just the API token.',
    why: `${around}, which Cloudflare would take as a part of it.`,
    next: 'Give the token alone: without quotes, without a name before it, without a comma behind it.',
    exit: 2,
  })
}

function wrongKind(name: string): Problem {
  return new Problem({
    code: 'cloudflare-token-kind',
    what: `This is ${name}, not an API token.`,
    why: 'The setup needs an API token: it can be limited to what is needed, and deleted afterwards.',
    next: 'Make one at https://dash.cloudflare.com/?to=/:account/api-tokens and run this again.',
    exit: 2,
  })
}

function notOfAccount(accountId: string, { why }: Refusal): Problem {
  return new Problem({
    code: 'cloudflare-not-of-account',
    what: `The API token is none of the account ${accountId}.`,
    why: prose`It belongs to another account, or was deleted there. ${why}`,
    next: 'Correct --account-id, or use a token of that account, and run this again.',
    exit: 2,
  })
}

/** What a token of the R2 page can't have, whatever was chosen there, and what needs it. */
const NOT_ON_R2_PAGE: readonly (readonly [Permission, string])[] = [
  ['account-tokens', 'access key'],
  ['zone', 'custom domain'],
  ['dns', 'is the host name free?'],
]

/** Nothing can be asked about a token without an account; what it shows to nobody, it has not. */
function noAccount(listing: Refusal | undefined): Problem {
  const said = listing === undefined ? 'Cloudflare answers with an empty list.' : listing.why
  const lacking = NOT_ON_R2_PAGE.map(
    ([permission, need]) => `\n  ${permissionNames[permission]} (for: ${need})`,
  ).join('')
  return new Problem({
    code: 'cloudflare-no-account',
    what: 'Cloudflare shows no account to this API token.',
    why: prose`It sees no domain either. Tokens of the R2 page are so: they have R2 rights only (and "${permissionNames.r2}" only as "Admin Read & Write"), and lack:${lacking}\n${said}`,
    next: `Make a token that has these, too, or add them: ${TOKENS}. If it has them, run this again with --account-id ID (the dashboard shows the id): then each can be asked for.`,
    exit: 2,
  })
}

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
        return groupNames(policies)
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

export function zones(
  call: Call,
): Pick<CloudflarePort, 'listZones' | 'findZone' | 'listDnsRecords'> {
  async function zonesNamed(name: string): Promise<Zone[]> {
    const { result } = await call('repeatable', (sdk) => sdk.zones.list({ name, per_page: 50 }))
    return result.map(zoneFrom).filter((zone) => zone.name.toLowerCase() === name)
  }

  return {
    async listZones(accountId) {
      const account = accountId === undefined ? {} : { account: { id: accountId } }
      const found = await allPages((page) =>
        call('repeatable', (sdk) => sdk.zones.list({ ...account, page, per_page: 50 })),
      )
      return found.map(zoneFrom)
    },

    async findZone(host) {
      const found = await Promise.all(zoneNames(host.toLowerCase()).map(zonesNamed))
      const longest = found.find(({ length }) => length > 0) ?? []
      return longest.find(({ status }) => status === 'active') ?? longest[0]
    },

    async listDnsRecords(zoneId, name) {
      const query = { zone_id: zoneId, name: { exact: name.toLowerCase() }, per_page: 100 }
      const found = await allPages((page) =>
        call('repeatable', (sdk) => sdk.dns.records.list({ ...query, page })),
      )
      return found.map(({ type, name, content, proxied }) => ({
        type,
        name,
        content: content ?? '',
        proxied: proxied ?? false,
      }))
    },
  }
}

/** The host and every name above it, the longest first; a single label is nobody's zone. */
function zoneNames(host: string): string[] {
  const labels = host.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}

function zoneFrom({ id, name, status, type, paused, account }: SdkZone): Zone {
  return {
    id,
    name,
    status: status ?? 'unknown',
    type: type ?? 'full',
    paused: paused ?? false,
    account: { id: account.id ?? '', name: account.name ?? '' },
  }
}
