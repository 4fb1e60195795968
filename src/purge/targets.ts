import { newUrl, type OldPrefix, oldUrl } from '../redirects/redirecting.ts'
import type { Zone } from '../services/cloudflare/port.ts'
import { folderOf, type Sizes } from './sizes.ts'

/** A place where media is or was served, and the zone whose cache is in front of it. */
export interface ServedPlace extends Pick<OldPrefix, 'host' | 'path'> {
  readonly zone: Pick<Zone, 'id' | 'name'>
}

export interface Targets extends Sizes {
  readonly mediaHost: string
  /** The media host first, then old places that are behind Cloudflare, too. */
  readonly places: readonly ServedPlace[]
  /** Pages of this Mastodon fetch media with this `Origin`. */
  readonly origin: string
  /** Query strings that were given, with their key. */
  readonly queries: readonly { readonly key: string; readonly query: string }[]
}

/** What is to be gone from one zone's cache. */
export interface ZonePurge {
  readonly zoneId: string
  readonly urls: readonly string[]
  /** Copies for this Mastodon's own pages are kept apart from those. */
  readonly withOrigin: readonly string[]
  readonly prefixes: readonly string[]
}

/** The addresses that a person would name: whole, at the media host. */
export function namedUrls({ mediaHost, present, absent, queries }: Targets): string[] {
  const keys = [...present.map(({ key }) => key), ...absent]
  const asked = queries.map(({ key, query }) => `${newUrl(mediaHost, key)}${query}`)
  return [...new Set([...keys.map((key) => newUrl(mediaHost, key)), ...asked])]
}

/** The old addresses of the same files, where Cloudflare is in front of them. */
export function oldUrls({ places, present, absent }: Targets): string[] {
  const keys = [...present.map(({ key }) => key), ...absent]
  return places.slice(1).flatMap((place) => keys.map((key) => oldUrl(place, key)))
}

/**
 * By zone: every address with both schemes, with and without this Mastodon's `Origin`, what other sizes
 * may have been called, and the folder of each upload, for query strings that nobody knows.
 */
export function zonePurges(targets: Targets): ZonePurge[] {
  const { places, present, absent, guessed, queries } = targets
  const known = [...present.map(({ key }) => key), ...absent]
  const zones = [...new Set(places.map(({ zone }) => zone.id))]
  return zones.map((zoneId) => {
    const here = places.filter(({ zone }) => zone.id === zoneId)
    const at = (keys: readonly string[]) =>
      here.flatMap((place) => keys.map((key) => oldUrl(place, key)))
    const asked = here.flatMap((place) =>
      queries.map(({ key, query }) => `${oldUrl(place, key)}${query}`),
    )
    const own = [...at(known), ...asked]
    const plain = own.map((url) => url.replace(/^https:/, 'http:'))
    const folders = [...new Set(known.map(folderOf))]
    return {
      zoneId,
      urls: [...new Set([...own, ...plain, ...at(guessed)])],
      withOrigin: [...new Set(own)],
      prefixes: at(folders).map((url) => url.replace(/^https:\/\//, '')),
    }
  })
}
