import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { PermissionGroupListResponse } from 'cloudflare/resources/accounts/tokens/permission-groups'
import type {
  TokenCreateResponse,
  TokenDeleteResponse,
} from 'cloudflare/resources/accounts/tokens/tokens'
import type { Token, TokenPolicy, TokenValue } from 'cloudflare/resources/shared'
import type { SandboxToken, World } from '../world.ts'
import {
  findPermissionGroup,
  isPermitted,
  type PermissionGroup,
  permissionGroups,
  tokenStatus,
} from './permits.ts'
import { ok, Refusal } from './refusal.ts'
import {
  type ApiRequest,
  bodyObject,
  type Handler,
  isObject,
  type JsonObject,
  page,
  param,
} from './request.ts'

/** Who will own the token: an account, or the user of the sandbox. */
export type Owner = { readonly accountId: string } | 'user'

/**
 * The policies of a token, checked and given ids. A permission for one zone must be held by whoever
 * asks (Cloudflare says so since 2026); a permission for an account's buckets need not.
 */
function readPolicies(
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

/** What a person may choose of a token. */
export interface TokenSettings {
  readonly name: string
  readonly policies: TokenPolicy[]
  readonly condition: Token.Condition | undefined
  readonly expiresOn: string | undefined
  readonly notBefore: string | undefined
}

/** The settings in the body of a create or an update; refused where Cloudflare refuses them. */
function readTokenSettings(
  body: JsonObject,
  owner: Owner,
  actor: SandboxToken,
  world: World,
): TokenSettings {
  const { name } = body
  if (typeof name !== 'string' || name === '' || name.length > 120) throw new Refusal('token-name')
  return {
    name,
    policies: readPolicies(body.policies, owner, actor, world),
    condition: readCondition(body.condition),
    expiresOn: readTime(body.expires_on),
    notBefore: readTime(body.not_before),
  }
}

function readCondition(value: unknown): Token.Condition | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) throw new Refusal('token-body', 'Bad condition.')
  const { request_ip, ...others } = value
  if (Object.keys(others).length > 0) throw new Refusal('token-body', 'Unknown condition.')
  if (request_ip === undefined) return {}
  if (!isObject(request_ip)) throw new Refusal('token-body', 'Bad condition.')
  const { in: allowed, not_in: refused } = request_ip
  for (const list of [allowed, refused]) {
    if (list !== undefined && !(Array.isArray(list) && list.every(isCidr))) {
      throw new Refusal('token-body', 'Bad address in request_ip.')
    }
  }
  return { request_ip }
}

function isCidr(value: unknown): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(String(value)) ?? []
  const version = isIP(address)
  return version !== 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128)
}

/** RFC 3339 to the second: Cloudflare refuses fractions of seconds here. */
function readTime(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/
  if (typeof value !== 'string' || !shape.test(value) || Number.isNaN(Date.parse(value))) {
    throw new Refusal('token-body', 'A time must be RFC 3339 without fractions of seconds.')
  }
  return value
}

/** Tokens of the owner, oldest first; expired ones only with `include_expired=true`. */
export const listTokens: Handler = ({ world, now }, request) => {
  const expired = request.query.get('include_expired') === 'true'
  const tokens = tokensOf(world, ownerOf(request))
    .map((token) => describe(token, now()))
    .filter(({ status }) => expired || status !== 'expired')
  const ordered = request.query.get('direction') === 'desc' ? tokens.reverse() : tokens
  return page<Token>(request, ordered, { fallback: 20, min: 5, max: 50 })
}

/** The answer holds the token's value, this once. Names need not be unique. */
export const createToken: Handler = ({ world, now }, request) => {
  const owner = ownerOf(request)
  const settings = readTokenSettings(bodyObject(request), owner, request.actor, world)
  const kind = owner === 'user' ? 'user' : 'account'
  const token: SandboxToken = {
    ...settings,
    id: randomBytes(16).toString('hex'),
    value: newValue(kind),
    kind,
    accountId: owner === 'user' ? undefined : owner.accountId,
    status: 'active',
    issuedAt: now(),
  }
  world.tokens.push(token)
  return ok<TokenCreateResponse>({ ...describe(token, now()), value: token.value })
}

export const getToken: Handler = ({ world, now }, request) =>
  ok<Token>(describe(findToken(world, request), now()))

/** Replaces name, policies, condition and times; `status` stays unless given. */
export const updateToken: Handler = ({ world, now }, request) => {
  const token = findToken(world, request)
  const body = bodyObject(request)
  const settings = readTokenSettings(body, ownerOf(request), request.actor, world)
  const { status = token.status } = body
  if (status !== 'active' && status !== 'disabled' && status !== token.status) {
    throw new Refusal('token-body', 'Bad status.')
  }
  Object.assign(token, settings, { status })
  return ok<Token>(describe(token, now()))
}

export const deleteToken: Handler = ({ world }, request) => {
  const token = findToken(world, request)
  world.tokens.splice(world.tokens.indexOf(token), 1)
  return ok<TokenDeleteResponse>({ id: token.id })
}

/** A new value for the same id; the old one is dead at once. */
export const rollToken: Handler = ({ world }, request) => {
  bodyObject(request)
  const token = findToken(world, request)
  const value = newValue(token.kind)
  world.tokens[world.tokens.indexOf(token)] = { ...token, value }
  return ok<TokenValue>(value)
}

/** The groups that fit the owner, by exact `name` and `scope`. */
export const listPermissionGroups: Handler = (_context, request) => {
  const name = request.query.get('name')
  const scope = request.query.get('scope')
  const fitting = permissionGroups.filter(
    (group) =>
      (ownerOf(request) === 'user' || group.scope !== 'com.cloudflare.api.user') &&
      (name === null || group.name === name) &&
      (scope === null || group.scope === scope),
  )
  return ok<PermissionGroupListResponse[]>(
    fitting.map((group) => ({ id: group.id, name: group.name, scopes: [group.scope] })),
  )
}

function ownerOf(request: ApiRequest): Owner {
  const accountId = request.params.account
  return accountId === undefined ? 'user' : { accountId }
}

function tokensOf(world: World, owner: Owner): SandboxToken[] {
  return world.tokens.filter(({ kind, accountId }) =>
    owner === 'user' ? kind === 'user' : kind === 'account' && accountId === owner.accountId,
  )
}

function findToken(world: World, request: ApiRequest): SandboxToken {
  const id = param(request, 'token')
  const found = tokensOf(world, ownerOf(request)).find((token) => token.id === id)
  if (found === undefined) throw new Refusal('no-such-token')
  return found
}

/** Prefix as in Cloudflare's token formats; 53 characters, the API allows 40 to 80. */
function newValue(kind: SandboxToken['kind']): string {
  return `${kind === 'user' ? 'cfut_' : 'cfat_'}${randomBytes(24).toString('hex')}`
}

function describe(token: SandboxToken, now: number): Token {
  const { id, name, condition, expiresOn, notBefore } = token
  return {
    id,
    name,
    status: tokenStatus(token, now),
    issued_on: new Date(token.issuedAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    policies: token.policies as TokenPolicy[],
    ...(condition === undefined ? {} : { condition: condition as Token.Condition }),
    ...(expiresOn === undefined ? {} : { expires_on: expiresOn }),
    ...(notBefore === undefined ? {} : { not_before: notBefore }),
  }
}
