import { createHash } from 'node:crypto'
import { Problem } from '../core/problem.ts'
import { prose, type Text } from '../core/to-type.ts'
import type { World } from '../plan/step.ts'
import { isForbidden } from '../services/cloudflare/refusal.ts'
import type { MediaSource } from '../services/media/port.ts'
import type { MediaAddress } from '../setup/media-addresses.ts'

/** What the steps of `redirects` know besides the world. */
export interface Redirecting {
  readonly mediaHost: string
  /** What it is in the end; 302 comes first in every case. */
  readonly status: 301 | 302
  readonly known: KnownMedia
  /** Mastodon stores new media on R2, so nothing new appears at the old addresses. */
  readonly switchedOn: boolean
  /** Media that is still on this machine. */
  readonly local: MediaSource | undefined
  /** What keeps a redirect from being made that is not there yet; nothing unless told. */
  readonly notYet?: () => Promise<Problem | undefined>
  /** A rule of the zone is the one way on offer; what is to be typed to take it back. */
  readonly ruleOnly?: { readonly remove: Text }
}

/** Where old addresses begin; what follows is the object's key. */
export interface OldPrefix {
  readonly host: string
  /** Begins and ends with a slash. */
  readonly path: string
  /** Who served it, where Mastodon's settings tell; undefined when it was given. */
  readonly served?: MediaAddress['served']
}

export function oldUrl({ host, path }: OldPrefix, key: string): string {
  return `https://${host}${path}${encoded(key)}`
}

export function newUrl(mediaHost: string, key: string): string {
  return `https://${mediaHost}/${encoded(key)}`
}

export function prefixName({ host, path }: OldPrefix): string {
  return `${host}${path}`
}

/** Short and made of letters and digits only, so that it can be part of names elsewhere. */
export function prefixMark(prefix: OldPrefix): string {
  return createHash('sha256').update(prefixName(prefix)).digest('hex').slice(0, 12)
}

function encoded(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}

const TOKENS = 'https://dash.cloudflare.com/?to=/:account/api-tokens'
const USER_TOKENS = 'https://dash.cloudflare.com/profile/api-tokens'

/** Says which permissions are to be granted where Cloudflare only says no; named as in its dashboard. */
export async function granted<T>(
  permissions: readonly string[],
  call: () => Promise<T>,
  { ruleOnly }: Pick<Redirecting, 'ruleOnly'> = {},
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof Problem && isForbidden(error))
      throw ungranted(permissions, error, ruleOnly !== undefined)
    throw error
  }
}

function ungranted(permissions: readonly string[], cause: Problem, isOnlyWay: boolean): Problem {
  const names = permissions.map((permission) => `"${permission}"`).join(' and ')
  return new Problem(
    {
      code: 'redirect-permission',
      what: `The API token may not do this: it lacks ${names}.`,
      why: prose`Cloudflare refused. ${cause.why}`,
      next: `Add ${names} to the token at ${TOKENS} (a user token: ${USER_TOKENS}), and run this again.${isOnlyWay ? '' : ' Or let the web server redirect: --via nginx'}`,
    },
    { cause },
  )
}

type Looking = Pick<World, 'connectS3' | 'web' | 'place'>

/** Files that are known to exist, to hold redirects against; looked for once in a run. */
export interface KnownMedia {
  /** Up to three keys, of different kinds of media where there are; none when there is no media. */
  keys(at: Looking): Promise<readonly string[]>
  /** Undefined once each is in the bucket and public; else what keeps redirects from being made. */
  fault(at: Looking): Promise<Problem | undefined>
}
