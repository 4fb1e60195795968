import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { permissionNames } from '../services/cloudflare/port.ts'

type Needs = 'cloudflare' | 'minting'
type At = Pick<World, Needs>

/** The API token may make and remove keys; a rotation needs nothing else at Cloudflare. */
export const mintingToken: Step<Needs> = {
  id: 'token',
  title: 'API token',

  async look(at): Promise<Finding> {
    if (!(await mayMint(at))) return { is: 'blocked', problem: notAllowed(at) }
    const { token } = at.minting
    const expiry = token.expiresOn === undefined ? 'no expiry' : `until ${token.expiresOn}`
    return { is: 'ready', note: `may make and remove keys, ${expiry}` }
  },
}

async function mayMint({ cloudflare, minting }: At): Promise<boolean> {
  const { accountId } = minting.at
  const isAccount = minting.owner.kind === 'account'
  const [may, groups] = await Promise.all([
    cloudflare.can(isAccount ? 'account-tokens' : 'user-tokens', { accountId }),
    cloudflare.ownPermissionGroups(minting.token, accountId),
  ])
  const name = isAccount ? 'Account API Tokens' : 'API Tokens'
  const readsOnly = groups?.includes(`${name} Read`) && !groups.includes(`${name} Write`)
  return may && readsOnly !== true
}

function notAllowed({ minting }: At): Problem {
  const isAccount = minting.owner.kind === 'account'
  const page = isAccount
    ? 'https://dash.cloudflare.com/?to=/:account/api-tokens'
    : 'https://dash.cloudflare.com/profile/api-tokens'
  return new Problem({
    code: 'permissions-missing',
    what: 'The API token may not make keys.',
    why: `It lacks this permission: ${permissionNames[isAccount ? 'account-tokens' : 'user-tokens']}.`,
    next: `Edit the token at ${page}, add what is missing, and run this again.`,
  })
}
