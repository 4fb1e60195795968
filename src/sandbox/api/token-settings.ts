import { isIP } from 'node:net'
import type { Token, TokenPolicy } from 'cloudflare/resources/shared'
import type { SandboxToken, World } from '../world.ts'
import { Refusal } from './refusal.ts'
import { isObject, type JsonObject } from './request.ts'
import { type Owner, readPolicies } from './token-policies.ts'

/** What a person may choose of a token. */
export interface TokenSettings {
  readonly name: string
  readonly policies: TokenPolicy[]
  readonly condition: Token.Condition | undefined
  readonly expiresOn: string | undefined
  readonly notBefore: string | undefined
}

/** The settings in the body of a create or an update; refused where Cloudflare refuses them. */
export function readTokenSettings(
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
