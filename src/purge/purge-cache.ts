import { count } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import { accountLink, wordsFor } from '../flow/token.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { permissionNames } from '../services/cloudflare/port.ts'
import { isForbidden } from '../services/cloudflare/refusal.ts'
import { namedUrls, oldUrls, type Targets, zonePurges } from './targets.ts'

/** A purge reaches every place within seconds (Cloudflare docs); a minute for a slow day. */
const SPREAD_MS = 60_000
const PAUSE_MS = 2_000

/** What a request saw of an address after the purge. */
export interface Proof {
  readonly url: string
  readonly status: number
  /** `cf-cache-status`; null where the host is not behind Cloudflare. */
  readonly cache: string | null
}

export interface Purging {
  readonly step: Step<'cloudflare' | 'web' | 'clock'>
  /** Purges and proves nothing. Problem `purge-permission`. */
  purge(at: Pick<World, 'cloudflare'>): Promise<void>
  readonly proofs: readonly Proof[]
}

/** Out of Cloudflare's cache by address, and a request for each address that proves it. */
export function purgeCache(targets: Targets, { deleted }: { readonly deleted: boolean }): Purging {
  const proofs: Proof[] = []
  let unpurged: string | undefined
  let since: number | undefined

  async function purge({ cloudflare }: Pick<World, 'cloudflare'>): Promise<void> {
    for (const { zoneId, urls, withOrigin, prefixes } of zonePurges(targets)) {
      await granted(() => cloudflare.purgeUrls(zoneId, urls))
      await granted(() => cloudflare.purgeUrls(zoneId, withOrigin, targets.origin))
      try {
        await cloudflare.purgePrefixes(zoneId, prefixes)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        unpurged = error.what
      }
    }
  }

  return {
    proofs,
    purge,
    step: {
      id: 'purge-cache',
      title: "Cloudflare's cache",

      async look(): Promise<Finding> {
        if (since !== undefined) return { is: 'ready', note: 'purged' }
        const named = namedUrls(targets)
        const others = allUrls(targets) - named.length
        return {
          is: 'change',
          changes: [
            ...named.map((url) => ({ what: `purge ${url}`, risk: 'safe' as const })),
            {
              what: `purge ${count(others)} more for the same files: sizes, http, old places, query strings, copies for pages of ${targets.origin}`,
              risk: 'safe',
            },
          ],
        }
      },

      async change(at) {
        await purge(at)
        since = at.clock.now().getTime()
        return {}
      },

      async confirm(at, tell) {
        const from = since ?? at.clock.now().getTime()
        proofs.length = 0
        for (const url of [...namedUrls(targets), ...oldUrls(targets)]) {
          tell(`asking for ${url}`)
          proofs.push(await prove(at, { url, deleted, from }))
        }
        const asked = `asked for ${count(proofs.length)} of them`
        const note = `${asked}: ${deleted ? 'none has it any more' : 'none came out of the cache'}`
        const warnings = unpurged === undefined ? [] : [prefixRefused(unpurged)]
        return { is: 'ready', note, warnings }
      },
    },
  }
}

function allUrls(targets: Targets): number {
  return zonePurges(targets).reduce((all, { urls, withOrigin }) => {
    return all + urls.length + withOrigin.length
  }, 0)
}

interface Asked {
  readonly url: string
  readonly deleted: boolean
  /** When the cache was purged; milliseconds since the epoch. */
  readonly from: number
}

/** Asks until it is gone. Problems `still-in-cache`, `still-at-old-place`. */
export async function prove(at: Pick<World, 'web' | 'clock'>, asked: Asked): Promise<Proof> {
  const { url, deleted, from } = asked
  for (;;) {
    const answer = await at.web.fetch(url, { method: 'HEAD' })
    const [cache = null] = answer.header('cf-cache-status')
    const now = at.clock.now().getTime()
    const age = Number(answer.header('age')[0] ?? 0) * 1000
    const isKept = answer.status === 200 && isOutOfCache(cache)
    // Somebody asked meanwhile, and a file that is still in the bucket is kept anew.
    const isNew = !deleted && isKept && now - age >= from
    if (!isKept || isNew) {
      if (deleted && answer.status === 200) throw stillServed(url)
      return { url, status: answer.status, cache }
    }
    if (now - from >= SPREAD_MS) throw stillKept(url, cache)
    await at.clock.sleep(PAUSE_MS)
  }
}

function isOutOfCache(cache: string | null): boolean {
  return cache !== null && /^(HIT|STALE|UPDATING|REVALIDATED)$/i.test(cache)
}

/** Problem `purge-permission` where the token may not. */
export async function granted(call: () => Promise<void>): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (error instanceof Problem && isForbidden(error)) throw notPermitted(error)
    throw error
  }
}

const token = {
  name: 'mastodon-r2 purge',
  keys: [
    ['cache', 'purge'],
    ['zone', 'read'],
  ],
  permissions: (['cache-purge', 'zone'] as const).map(
    (name) => `Zone (of the media host): ${permissionNames[name]}`,
  ),
} as const

/** What a person is told who has no token yet. */
export const purgeToken = wordsFor(token)

/** The link to a token for this command alone. */
export function purgeTokenLink(): string {
  return accountLink(token.keys, token.name)
}

function notPermitted(cause: Problem): Problem {
  return new Problem(
    {
      code: 'purge-permission',
      what: `The API token may not purge the cache: it lacks "${permissionNames['cache-purge']}".`,
      why: prose`Cloudflare refused, and nothing was deleted. ${cause.why}`,
      next: `Make a token for this alone, and run it again with that: ${purgeTokenLink()}`,
    },
    { cause },
  )
}

function stillKept(url: string, cache: string | null): Problem {
  return new Problem({
    code: 'still-in-cache',
    what: `${url} still comes out of Cloudflare's cache.`,
    why: `It was purged a minute ago, and is answered with cf-cache-status ${cache}. A cache rule with a key of its own, or a Worker, may keep it under another name.`,
    next: 'Look at Caching > Cache Rules of the zone in the Cloudflare dashboard. There, "Purge Everything" empties the cache of the whole zone.',
  })
}

function stillServed(url: string): Problem {
  return new Problem({
    code: 'still-served',
    what: `${url} still gives the file.`,
    why: 'It is gone from the bucket and from the cache, so it comes from somewhere else: the disk of the instance, the storage before R2, or another bucket.',
    next: "Remove it there, too (on the instance's disk it lies below public/system, under the same name), and run the same command again: it proves all of it once more.",
  })
}

export function prefixRefused(what: string): string {
  return `Copies under query strings that nobody named may still be in the cache: Cloudflare did not purge by folder (${what})`
}
