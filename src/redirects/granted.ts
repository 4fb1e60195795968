import { Problem } from '../core/problem.ts'
import { isForbidden } from '../services/cloudflare/forbidden.ts'

const TOKENS = 'https://dash.cloudflare.com/?to=/:account/api-tokens'
const USER_TOKENS = 'https://dash.cloudflare.com/profile/api-tokens'

/** Says which permissions are to be granted where Cloudflare only says no; named as in its dashboard. */
export async function granted<T>(
  permissions: readonly string[],
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof Problem && isForbidden(error)) throw ungranted(permissions, error)
    throw error
  }
}

function ungranted(permissions: readonly string[], cause: Problem): Problem {
  const names = permissions.map((permission) => `"${permission}"`).join(' and ')
  return new Problem(
    {
      code: 'redirect-permission',
      what: `The API token may not do this: it lacks ${names}.`,
      why: `Cloudflare refused. ${cause.why}`,
      next: `Add ${names} to the token at ${TOKENS} (a user token: ${USER_TOKENS}), and run this again. Or let the web server redirect: --engine nginx`,
    },
    { cause },
  )
}
