import { randomBytes } from 'node:crypto'
import type { PermissionGroupListResponse } from 'cloudflare/resources/accounts/tokens/permission-groups'
import type {
  TokenCreateResponse,
  TokenDeleteResponse,
} from 'cloudflare/resources/accounts/tokens/tokens'
import type { Token, TokenPolicy, TokenValue } from 'cloudflare/resources/shared'
import type { SandboxToken, World } from '../world.ts'
import { tokenStatus } from './authenticate.ts'
import { ok } from './envelope.ts'
import { page } from './page.ts'
import { permissionGroups } from './permission-groups.ts'
import { Refusal } from './refusal.ts'
import { type ApiRequest, bodyObject, type Handler, param } from './request.ts'
import type { Owner } from './token-policies.ts'
import { readTokenSettings } from './token-settings.ts'

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
