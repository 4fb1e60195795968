import type { ProblemDetails } from '../../core/problem.ts'

export type Hint = Pick<ProblemDetails, 'what' | 'why' | 'next' | 'exit'>

export const TOKENS = 'https://dash.cloudflare.com/?to=/:account/api-tokens'
export const USER_TOKENS = 'https://dash.cloudflare.com/profile/api-tokens'
const NEW_TOKEN = `make a new one at ${TOKENS}, and run this again.`

/**
 * What Cloudflare's own words say of the token: one number (9109, 10000) stands for many causes.
 * Undefined where they name none.
 */
export function tokenHint(status: number, said: string): Hint | undefined {
  if (![400, 401, 403].includes(status)) return undefined
  const from = /\blocation\b/i.test(said)
  if (from) return otherAddress(/location[^0-9a-f]*([0-9a-f]*[.:][0-9a-f.:]+)/i.exec(said)?.[1])
  if (/\bexpired\b/i.test(said)) {
    return {
      what: 'The API token has expired.',
      why: 'Its time (TTL) is over.',
      next: `Give it more time at ${TOKENS} (a user token: ${USER_TOKENS}), or ${NEW_TOKEN}`,
      exit: 2,
    }
  }
  if (/token\b.*\b(disabled|inactive|not active)\b/i.test(said)) {
    return {
      what: 'The API token is switched off.',
      why: 'Cloudflare knows it, and takes nothing from it while it is disabled.',
      next: `Switch it on again at ${TOKENS} (a user token: ${USER_TOKENS}), or ${NEW_TOKEN}`,
      exit: 2,
    }
  }
  if (/authorization header|request headers/i.test(said)) {
    return {
      what: 'Cloudflare does not take this as an API token.',
      why: 'It has not the form of one: a Global API Key, an Origin CA key or a part of a token are none.',
      next: `Copy the token itself, without anything around it, or ${NEW_TOKEN}`,
      exit: 2,
    }
  }
  return undefined
}

function otherAddress(address: string | undefined): Hint {
  const here = address === undefined ? "this server's address" : address
  return {
    what: 'The API token is bound to other IP addresses.',
    why: `Cloudflare sees this server${address === undefined ? ' at an address' : ` as ${address},`} that the token's IP filter does not let in.`,
    next: `Add ${here} under "Client IP Address Filtering" of the token at ${TOKENS} (a user token: ${USER_TOKENS}), or make one without a filter; then run this again.`,
    exit: 2,
  }
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'read',
  POST: 'add',
  PUT: 'set',
  PATCH: 'change',
  DELETE: 'delete',
}

/** By the path below `/client/v4`; the first that fits. */
const things: readonly (readonly [path: RegExp, thing: string])[] = [
  [/\/r2\/buckets\/[^/]+\/domains\/custom/, 'the custom domain of the bucket'],
  [/\/r2\/buckets\/[^/]+\/domains\/managed/, 'the r2.dev address of the bucket'],
  [/\/r2\/buckets\/[^/]+\/cors/, 'the CORS rules of the bucket'],
  [/\/r2\/buckets\/[^/]+\/lifecycle/, 'the lifecycle rules of the bucket'],
  [/\/r2\/buckets\/[^/]+\/objects/, 'objects of the bucket'],
  [/\/r2\/buckets(\/[^/]+)?$/, 'a bucket'],
  [/\/tokens\/verify$/, 'what the API token is'],
  [/\/tokens\/permission_groups/, 'the permissions that keys can have'],
  [/\/tokens(\/[^/]+)?(\/value)?$/, 'an API token or access key'],
  [/\/dns_records/, 'DNS records of the domain'],
  [/\/rulesets\b/, 'rules'],
  [/\/rules\/lists\b/, 'redirect lists'],
  [/\/slurper\b/, 'jobs of Super Slurper'],
  [/\/(argo|cache)\//, 'cache settings of the domain'],
  [/^\/zones(\/[^/]+)?$/, 'domains (zones)'],
  [/^\/accounts(\/[^/]+)?$/, 'accounts'],
]

/** What a call was to do, e.g. `delete the custom domain of the bucket`. */
export function operationOf(method: string, path: string): string | undefined {
  const [bare = ''] = path.split('?')
  const thing = things.find(([pattern]) => pattern.test(bare))?.[1]
  const verb = verbs[method]
  return thing === undefined || verb === undefined ? undefined : `${verb} ${thing}`
}
