import { Problem } from '../core/problem.ts'
import type { Finding } from '../plan/step.ts'
import { isForbidden } from '../services/cloudflare/forbidden.ts'

const TOKENS = 'https://dash.cloudflare.com/?to=/:account/api-tokens'
const USER_TOKENS = 'https://dash.cloudflare.com/profile/api-tokens'

/** What the plan, or the kind of token, does not allow; see services/cloudflare/port.ts. */
const NOT_FOR_THIS_ACCOUNT = /^cloudflare-(plan-limit|not-in-plan|1011)$/

/**
 * An extra that can't be had is left out, and the setup goes on; anything else is thrown on.
 * `permission` as the dashboard names it.
 */
export function skipped(error: unknown, permission: string): Finding {
  if (!(error instanceof Problem)) throw error
  if (isForbidden(error)) {
    return {
      is: 'later',
      note: `skipped: the API token lacks "${permission}"`,
      next: `Add "${permission}" to the token at ${TOKENS} (a user token: ${USER_TOKENS}), and run this again.`,
    }
  }
  if (!NOT_FOR_THIS_ACCOUNT.test(error.code)) throw error
  return { is: 'later', note: `skipped: ${error.what}`, next: error.next }
}
