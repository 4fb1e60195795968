import { count, counted, duration } from '../core/amounts.ts'
import type { KeyPack } from '../core/key-pack.ts'
import { classOf } from '../plan/report-schema.ts'
import type { Finding, Step } from '../plan/step.ts'
import { newUrl, oldUrl } from '../redirects/redirecting.ts'
import { granted, type Proof, prefixRefused, prove } from './purge-cache.ts'
import { type Targets, zonePurges } from './targets.ts'

type Served = Pick<Targets, 'mediaHost' | 'places' | 'origin'>

/** Files of one go: their addresses fill a few calls. */
const BATCH = 100
/** Addresses in one call, as services/cloudflare/rules.ts has them. */
const AT_ONCE = 30
/** Calls of all kinds: 1,200 in five minutes for each user (Cloudflare docs, API rate limits). */
const PAUSE_MS = 250
const WITHOUT_PAUSE = 600
/** By folder it is 5 calls a minute on the Free plan, and 25 at first (its docs, cache/how-to/purge-cache). */
const MOST_BY_FOLDER = 600
/** Files that are asked for afterwards; all where there are no more. */
const ASKED = 40
const NAMED = 5

export interface PurgingGone {
  readonly step: Step<'cloudflare' | 'web' | 'clock'>
  readonly proofs: readonly Proof[]
}

/** Out of Cloudflare's cache, file by file, what the bucket and Mastodon have no more. */
export function purgeGone(
  gone: KeyPack,
  kinds: ReadonlyMap<string, number>,
  served: Served,
): PurgingGone {
  const proofs: Proof[] = []
  const calls = callsFor(gone.keys, served)
  let purged = 0
  let since: number | undefined
  let unpurged: string | undefined

  return {
    proofs,
    step: {
      id: 'purge-gone',
      title: "Cloudflare's cache",

      async look(): Promise<Finding> {
        if (gone.keys === 0) return { is: 'ready', note: 'nothing is gone that it could hold' }
        if (since !== undefined) return { is: 'ready', note: 'purged' }
        const examples = await examplesOf(gone)
        const more = gone.keys - examples.length
        const time = calls > WITHOUT_PAUSE ? `, about ${duration(calls * PAUSE_MS)}` : ''
        return {
          is: 'change',
          changes: [
            {
              what: `purge ${counted(gone.keys, 'file')} that the bucket and Mastodon have no more: ${kindsInWords(kinds)}`,
              risk: 'safe',
            },
            ...examples.map((key) => ({
              what: `purge ${newUrl(served.mediaHost, key)}`,
              risk: 'safe' as const,
            })),
            {
              what: `${more > 0 ? `purge ${count(more)} more, and ` : ''}each with http, at old places and as pages of ${served.origin} have it: ${counted(calls, 'call')}${time}`,
              risk: 'safe',
            },
          ],
        }
      },

      async change({ cloudflare, clock }) {
        purged = 0
        for await (const keys of parted(gone)) {
          const targets = { ...served, present: [], absent: keys, guessed: [], queries: [] }
          const byFolder = gone.keys <= MOST_BY_FOLDER && unpurged === undefined
          for (const { zoneId, urls, withOrigin, prefixes } of zonePurges(targets)) {
            await granted(() => cloudflare.purgeUrls(zoneId, urls))
            await granted(() => cloudflare.purgeUrls(zoneId, withOrigin, served.origin))
            if (!byFolder) continue
            try {
              await cloudflare.purgePrefixes(zoneId, prefixes)
            } catch (error) {
              unpurged = whatOf(error)
            }
          }
          purged += keys.length
          if (calls > WITHOUT_PAUSE) await clock.sleep(callsFor(keys.length, served) * PAUSE_MS)
        }
        since = clock.now().getTime()
        return {}
      },

      reached: () => (purged > 0 ? `${counted(purged, 'file')} purged` : undefined),

      async confirm(at, tell) {
        const from = since ?? at.clock.now().getTime()
        const sample = await sampleOf(gone)
        const [, ...old] = served.places
        proofs.length = 0
        for (const key of sample) {
          const url = newUrl(served.mediaHost, key)
          tell(`asking for ${url}`)
          proofs.push(await prove(at, { url, deleted: true, from }))
          // The disk may still have it there, which is told apart from this.
          for (const place of old) {
            proofs.push(await prove(at, { url: oldUrl(place, key), deleted: false, from }))
          }
        }
        const which = sample.length < gone.keys ? `${count(sample.length)} of them` : 'all of them'
        const note = `asked for ${which}: none comes any more`
        return { is: 'ready', note, warnings: warningsFor(gone.keys, unpurged) }
      },
    },
  }
}

function warningsFor(keys: number, unpurged: string | undefined): string[] {
  if (unpurged !== undefined) return [prefixRefused(unpurged)]
  if (keys <= MOST_BY_FOLDER) return []
  return [
    'Copies under query strings (?...), which Mastodon does not use, may still be in the cache: for so many files Cloudflare can be told of addresses alone.',
  ]
}

function whatOf(error: unknown): string {
  if (error instanceof Error && 'what' in error) return String(error.what)
  throw error
}

/** https and http, and https once more for the pages of this Mastodon. */
function callsFor(keys: number, { places }: Served): number {
  return Math.ceil((keys * places.length * 3) / AT_ONCE)
}

async function* parted(gone: KeyPack): AsyncGenerator<string[]> {
  for await (const some of gone.read()) {
    for (let at = 0; at < some.length; at += BATCH) {
      yield some.slice(at, at + BATCH).map(({ key }) => key)
    }
  }
}

async function examplesOf(gone: KeyPack): Promise<string[]> {
  for await (const some of gone.read()) return some.slice(0, NAMED).map(({ key }) => key)
  return []
}

/** From all over the list. */
async function sampleOf(gone: KeyPack): Promise<string[]> {
  const every = Math.max(1, Math.ceil(gone.keys / ASKED))
  const found: string[] = []
  let nth = 0
  for await (const some of gone.read()) {
    for (const { key } of some) if (nth++ % every === 0) found.push(key)
  }
  return found
}

function kindsInWords(kinds: ReadonlyMap<string, number>): string {
  return [...kinds].map(([title, number]) => `${title} ${count(number)}`).join(', ')
}

/** Adds one to its kind, by the title that people know it by. */
export function countKind(kinds: Map<string, number>, key: string): void {
  const { title } = classOf(key)
  kinds.set(title, (kinds.get(title) ?? 0) + 1)
}
