import { Problem } from '../core/problem.ts'
import type { World } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { type MediaAddress, mediaAddresses } from '../setup/media-addresses.ts'
import type { Redirected } from '../setup/undoing.ts'

type At = Pick<World, 'web' | 'setup' | 'clock'>
type Settings = Installation['settings']

/**
 * Redirects that need the media host, by what a stranger is answered: those of old addresses to it, whoever
 * makes them, and that of its own addresses to a place elsewhere. `past`: Mastodon's settings so far.
 */
export async function redirectsOfHost(
  { web, setup, clock }: At,
  past: readonly Settings[],
): Promise<Redirected> {
  const { mediaHost, installation } = setup
  // No such file is there: what a web server has on its disk would be served, and not redirected.
  const key = `media_attachments/files/mastodon-r2-probe/${clock.randomHex(32)}.txt`
  const own = { host: mediaHost, path: '/' }
  const asked = [own, ...oldPlaces(installation, past, mediaHost)].map(async (place) => {
    const from = `https://${place.host}${place.path}...`
    try {
      const url = `https://${place.host}${place.path}${key}`
      const { header } = await web.fetch(url, { method: 'HEAD' })
      const [location = ''] = header('location')
      // One without a host stays where it was asked.
      const to = URL.canParse(location, url) ? new URL(location, url).host : place.host
      const isOne = place === own ? to !== mediaHost : to === mediaHost
      const led = { from, to: location.replace(key, '...') }
      return { isTo: isOne && place !== own, isFrom: isOne && place === own, led }
    } catch (error) {
      if (error instanceof Problem) return { unseen: `${from} was not seen: ${error.what}` }
      throw error
    }
  })
  const all = await Promise.all(asked)
  return {
    to: all.flatMap(({ isTo, led }) => (isTo ? [led] : [])),
    from: all.flatMap(({ isFrom, led }) => (isFrom ? [led] : [])),
    unseen: all.flatMap(({ unseen }) => (unseen === undefined ? [] : [unseen])),
  }
}

/** Where media addresses began with each of these settings, and without any storage elsewhere. */
function oldPlaces(
  { webDomain, localDomain, settings }: Installation,
  past: readonly Settings[],
  mediaHost: string,
): readonly Pick<MediaAddress, 'host' | 'path'>[] {
  const instanceHost = webDomain ?? localDomain
  if (instanceHost === undefined) return []
  const off = ['S3_ENABLED', 'SWIFT_ENABLED', 'AZURE_ENABLED']
  const onDisk = new Map([...settings].filter(([name]) => !off.includes(name)))
  const places = [settings, ...past, onDisk]
    .flatMap((one) => mediaAddresses(one, instanceHost))
    // A provider's own host redirects to nobody.
    .filter(({ host, served }) => host !== mediaHost && served !== 'provider')
  return [...new Map(places.map((place) => [`${place.host}${place.path}`, place])).values()]
}
