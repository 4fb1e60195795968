import { createHash } from 'node:crypto'
import type { Token, TokenPolicyParam } from 'cloudflare/resources/shared'
import type { Jurisdiction } from '../../core/jurisdictions.ts'
import { Problem } from '../../core/problem.ts'
import { Secret } from '../../core/secret.ts'
import { allPages, type Call } from './call.ts'
import type { BucketRef, CloudflarePort, KeyLimits, KeyOwner, KeyWish, MintedKey } from './port.ts'
import { Refusal } from './refusal.ts'

/**
 * The body that mints a key for one bucket. Resource name from Cloudflare's R2 docs (r2/api/tokens);
 * times must lack milliseconds.
 */
function tokenFor(wish: KeyWish, groupId: string) {
  const { name, at, allowIps, refuseIps = [], expiresOn } = wish
  const policy: TokenPolicyParam = {
    effect: 'allow',
    permission_groups: [{ id: groupId }],
    resources: { [resourceOf(at)]: '*' },
  }
  const request_ip = {
    ...(allowIps.length > 0 ? { in: [...allowIps] } : {}),
    ...(refuseIps.length > 0 ? { not_in: [...refuseIps] } : {}),
  }
  return {
    name,
    policies: [policy],
    ...(Object.keys(request_ip).length > 0 ? { condition: { request_ip } } : {}),
    ...(expiresOn === undefined ? {} : { expires_on: wholeSeconds(expiresOn) }),
  }
}

/**
 * The body that gives a token another name and changes nothing else: PUT replaces everything, and
 * takes policies without the fields that only reading adds.
 */
function renamed(raw: unknown, name: string) {
  const { policies, condition, expires_on, not_before, status } = raw as Token
  if (!policies?.length) throw new TypeError('A token without policies cannot be renamed.')
  return {
    name,
    policies: policies.map(({ effect, permission_groups, resources }) => ({
      effect,
      permission_groups: permission_groups.map(({ id }) => ({ id })),
      resources,
    })),
    ...(condition ? { condition } : {}),
    ...(expires_on ? { expires_on: wholeSeconds(expires_on) } : {}),
    ...(not_before ? { not_before: wholeSeconds(not_before) } : {}),
    ...(status ? { status } : {}),
  }
}

/** The body that takes a token out of service and changes nothing else. */
function disabled(raw: unknown) {
  return { ...renamed(raw, (raw as Token).name ?? ''), status: 'disabled' as const }
}

/** Which bucket a token opens, and from where; said only when that is all it does. */
function limitsOf({ policies = [], condition }: Token): KeyLimits {
  const { in: allowIps = [], not_in: refuseIps = [] } = condition?.request_ip ?? {}
  const resources = policies.flatMap((policy) => Object.entries(policy.resources))
  const [first, ...more] = resources
  const allows = policies.every(({ effect }) => effect === 'allow')
  const named = first?.[1] === '*' && more.length === 0 && allows ? first[0] : ''
  const [, accountId, jurisdiction, bucket] =
    /^com\.cloudflare\.edge\.r2\.bucket\.([0-9a-f]{32})_([a-z-]+)_([a-z0-9-]+)$/.exec(named) ?? []
  if (!accountId || !jurisdiction || !bucket) return { only: undefined, allowIps, refuseIps }
  const only = { accountId, bucket, jurisdiction: jurisdiction as Jurisdiction }
  return { only, allowIps, refuseIps }
}

function resourceOf({ accountId, jurisdiction, bucket }: BucketRef): string {
  return `com.cloudflare.edge.r2.bucket.${accountId}_${jurisdiction}_${bucket}`
}

function wholeSeconds(time: string): string {
  return time.replace(/\.\d+(?=Z|[+-]\d\d:\d\d$)/, '')
}

const GROUP_NAME = 'Workers R2 Storage Bucket Item Write'
/** From Cloudflare's R2 docs (r2/api/tokens), for a token that may not list the groups. */
const GROUP_ID = '2efd5506f9c8494dacb1fa10a3e7d5b6'

export function keys(
  call: Call,
): Pick<
  CloudflarePort,
  'listKeys' | 'findKey' | 'mintKey' | 'renameKey' | 'disableKey' | 'revokeKey'
> {
  async function loadGroups(owner: KeyOwner, filter: { name?: string }) {
    const { result } = await call('repeatable', (sdk) =>
      owner.kind === 'user'
        ? sdk.user.tokens.permissionGroups.list(filter)
        : sdk.accounts.tokens.permissionGroups.list({ ...filter, account_id: owner.accountId }),
    )
    return result
  }

  async function findGroupId(owner: KeyOwner): Promise<string> {
    try {
      for (const filter of [{ name: GROUP_NAME }, {}]) {
        const groups = await loadGroups(owner, filter)
        const id = groups.find(({ name }) => name === GROUP_NAME)?.id
        if (id) return id
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
    }
    return GROUP_ID
  }

  async function update(owner: KeyOwner, id: string, body: ReturnType<typeof renamed>) {
    await call<unknown>('repeatable', (sdk) =>
      owner.kind === 'user'
        ? sdk.user.tokens.update(id, body)
        : sdk.accounts.tokens.update(id, { ...body, account_id: owner.accountId }),
    )
  }

  async function listAll(owner: KeyOwner): Promise<MintedKey[]> {
    const query = { per_page: 50, include_expired: true }
    const found = await allPages<Token>((page) =>
      call('repeatable', (sdk) =>
        owner.kind === 'user'
          ? sdk.user.tokens.list({ ...query, page })
          : sdk.accounts.tokens.list({ ...query, page, account_id: owner.accountId }),
      ),
    )
    return found.map(describe)
  }

  /** A single refusal may pass; who may not see a key does not find it in the list either. */
  async function findListed(owner: KeyOwner, id: string): Promise<MintedKey | undefined> {
    try {
      return (await listAll(owner)).find((key) => key.id === id)
    } catch (error) {
      if (error instanceof Refusal && error.isForbidden) return undefined
      throw error
    }
  }

  return {
    async listKeys(owner, namePrefix) {
      return (await listAll(owner)).filter(({ name }) => name.startsWith(namePrefix))
    },

    async findKey(owner, id) {
      try {
        const token = await call('repeatable', (sdk) =>
          owner.kind === 'user'
            ? sdk.user.tokens.get(id)
            : sdk.accounts.tokens.get(id, { account_id: owner.accountId }),
        )
        return describe(token)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        if (error.isForbidden) return findListed(owner, id)
        if (error.status === 404) return undefined
        throw error
      }
    },

    async mintKey(owner, wish) {
      const body = tokenFor(wish, await findGroupId(owner))
      const made = await call('once', (sdk) =>
        owner.kind === 'user'
          ? sdk.user.tokens.create(body)
          : sdk.accounts.tokens.create({ ...body, account_id: owner.accountId }),
      )
      // The key may be there now, whatever came back.
      const { value, ...token } = { ...made } as Token & { readonly value?: unknown }
      const { id } = token
      if (typeof id !== 'string' || typeof value !== 'string' || value === '') throw valueless()
      const secretAccessKey = new Secret(createHash('sha256').update(value).digest('hex'))
      return { id, secretAccessKey, made: token.policies?.length ? describe(token) : undefined }
    },

    renameKey: async (owner, { id, raw }, name) => update(owner, id, renamed(raw, name)),

    disableKey: async (owner, { id, raw }) => update(owner, id, disabled(raw)),

    async revokeKey(owner, id) {
      try {
        await call<unknown>('repeatable', (sdk) =>
          owner.kind === 'user'
            ? sdk.user.tokens.delete(id)
            : sdk.accounts.tokens.delete(id, { account_id: owner.accountId }),
        )
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 404) throw error
      }
    },
  }
}

function describe(token: Token): MintedKey {
  const { id = '', name = '', status = 'active', issued_on, expires_on } = token
  const issued = issued_on ? { issuedOn: issued_on } : {}
  const expires = expires_on ? { expiresOn: expires_on } : {}
  const groups = groupNames(token.policies ?? [])
  return { id, name, status, ...issued, ...expires, limits: limitsOf(token), groups, raw: token }
}

/** What its policies allow, each once; undefined where one has no name. */
export function groupNames(policies: NonNullable<Token['policies']>): string[] | undefined {
  const groups = policies.flatMap(({ permission_groups }) => permission_groups)
  const names = groups.flatMap(({ name }) => name ?? [])
  return names.length === groups.length ? [...new Set(names)] : undefined
}

/** Like a lost answer: the token exists, and nobody has its value. */
function valueless(): Problem {
  return new Problem({
    code: 'cloudflare-key-without-value',
    what: 'Cloudflare made an access key without telling its value.',
    why: "The value is told once only, so this key can't be used.",
    next: 'Run this again: it removes the unusable key and makes another.',
  })
}
