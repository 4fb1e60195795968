import type { IncomingHttpHeaders } from 'node:http'
import type { TokenVerifyResponse } from 'cloudflare/resources/accounts/tokens/tokens'
import type { SandboxToken, World } from '../world.ts'
import { answerGraphql } from './graphql.ts'
import {
  authenticate,
  bearerOf,
  findToken,
  isPermitted,
  type Resource,
  tokenStatus,
} from './permits.ts'
import { type Answer, ok, Refusal } from './refusal.ts'
import type { ApiContext, ApiRequest, Need, Route } from './request.ts'
import { routes } from './routes.ts'

/**
 * Who is this? Needs no permission. A token asked about at the wrong owner's address is 1000
 * "Invalid API Token", and so is one that is plainly wrong.
 */
function verifyToken(
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

export interface Incoming {
  readonly method: string
  /** Path below `/client/v4`, with its query. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  /** The raw body; empty when none came. */
  readonly body: string
}

/** One request answered: route, ids, token, permission, R2 enabled, then the handler. */
export async function answer(context: ApiContext, incoming: Incoming): Promise<Answer> {
  try {
    return await dispatch(context, incoming)
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

async function dispatch(context: ApiContext, incoming: Incoming): Promise<Answer> {
  const { world } = context
  const { method, headers } = incoming
  const url = new URL(`http://sandbox${incoming.target}`)
  const verify = /^(?:\/user|\/accounts\/([^/]+))\/tokens\/verify$/.exec(url.pathname)
  if (verify !== null && method === 'GET') {
    checkIds({ account: verify[1] ?? '0'.repeat(32) })
    return verifyToken(world, headers, verify[1], context.now())
  }
  if (url.pathname === '/graphql' && method === 'POST') {
    return answerGraphql(context, { headers, body: readJson(incoming.body) })
  }
  const { route, params } = findRoute(method, url.pathname)
  checkIds(params)
  const actor = authenticate(world, headers, context.now())
  const forR2 = /^\/accounts\/:account\/(r2|slurper)\//.test(route.path)
  if (
    route.need !== 'own' &&
    !isPermitted(actor, route.need.groups, resource(context, route.need, params))
  ) {
    throw new Refusal(forR2 ? 'r2-not-permitted' : 'not-permitted')
  }
  const account = world.accounts.find(({ id }) => id === params.account)
  if (forR2 && account?.r2Enabled !== true) throw new Refusal('r2-not-enabled')
  const body = readJson(incoming.body)
  const request: ApiRequest = { params, query: url.searchParams, headers, body, actor }
  return route.handle(context, request)
}

type Params = Readonly<Record<string, string>>

function findRoute(method: string, path: string): { route: Route; params: Params } {
  const parts = path.split('/')
  const found = routes.flatMap((route) => {
    const params = match(route.path.split('/'), parts)
    return params === undefined ? [] : [{ route, params }]
  })
  if (found.length === 0) throw new Refusal('no-route')
  const chosen = found.find(({ route }) => route.method === method)
  if (chosen === undefined) throw new Refusal('bad-method')
  return chosen
}

function match(pattern: readonly string[], parts: readonly string[]): Params | undefined {
  if (pattern.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? ''
    if (expected.startsWith(':')) params[expected.slice(1)] = decode(part)
    else if (part !== expected) return undefined
  }
  return params
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function checkIds(params: Params): void {
  for (const name of ['account', 'zone', 'token']) {
    const id = params[name]
    if (id !== undefined && !/^[0-9a-f]{32}$/.test(id)) throw new Refusal('bad-id')
  }
}

function resource({ world }: ApiContext, need: Need, params: Params): Resource {
  const { account = '', zone = '' } = params
  if (need.on === 'account') return { is: 'account', id: account }
  if (need.on === 'user') return { is: 'user' }
  const accountId = world.zones.find(({ id }) => id === zone)?.accountId ?? ''
  return { is: 'zone', id: zone, accountId }
}

function readJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('bad-body')
  }
}
