import type { IncomingHttpHeaders } from 'node:http'
import type { SandboxToken, World } from '../world.ts'
import { Refusal } from './refusal.ts'

/** The bearer's text; undefined when no usable Authorization header came. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

/** The token behind the bearer, whatever its status. */
export function findToken(world: World, bearer: string): SandboxToken | undefined {
  return world.tokens.find(({ value }) => value === bearer)
}

/** The active token behind the request; refused otherwise. */
export function authenticate(
  world: World,
  headers: IncomingHttpHeaders,
  now: number,
): SandboxToken {
  const bearer = bearerOf(headers)
  if (bearer === undefined) throw new Refusal('no-token')
  const token = findToken(world, bearer)
  if (token === undefined) throw new Refusal('unknown-token')
  const started = token.notBefore === undefined || Date.parse(token.notBefore) <= now
  if (tokenStatus(token, now) !== 'active' || !started) throw new Refusal('refused-token')
  return token
}

/** The status as of now: a token expires by itself. `now`: milliseconds since the epoch. */
export function tokenStatus(token: SandboxToken, now: number): SandboxToken['status'] {
  const expired = token.expiresOn !== undefined && Date.parse(token.expiresOn) <= now
  return expired ? 'expired' : token.status
}
