import type { IncomingHttpHeaders } from 'node:http'
import type { TokenVerifyResponse } from 'cloudflare/resources/accounts/tokens/tokens'
import type { SandboxToken, World } from '../world.ts'
import { bearerOf, findToken, tokenStatus } from './authenticate.ts'
import { type Answer, ok } from './envelope.ts'
import { Refusal } from './refusal.ts'

/**
 * Who is this? Needs no permission. A token asked about at the wrong owner's address is 1000
 * "Invalid API Token", and so is one that is plainly wrong.
 */
export function verifyToken(
  world: World,
  headers: IncomingHttpHeaders,
  accountId: string | undefined,
  now: number,
): Answer {
  const bearer = bearerOf(headers)
  if (bearer === undefined) throw new Refusal(accountId ? 'token-missing' : 'token-invalid')
  const token = findToken(world, bearer)
  if (token === undefined || token.accountId !== accountId) throw new Refusal('token-invalid')
  const messages = [{ code: 10000, message: 'This API Token is valid and active' }]
  const result = describe(token, now)
  return ok<TokenVerifyResponse>(result, result.status === 'active' ? { messages } : {})
}

function describe(token: SandboxToken, now: number): TokenVerifyResponse {
  const { id, expiresOn, notBefore } = token
  return {
    id,
    status: tokenStatus(token, now),
    ...(expiresOn === undefined ? {} : { expires_on: expiresOn }),
    ...(notBefore === undefined ? {} : { not_before: notBefore }),
  }
}
