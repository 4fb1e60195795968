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
    const isEnd = (host: string) => (place === own ? host !== mediaHost : host === mediaHost)
    try {
      const { to, hidden } = await follow(
        web,
        new URL(`https://${place.host}${place.path}${key}`),
        isEnd,
      )
      const led = to && [{ from, to: to.href.replace(key, '...') }]
      const unseen =
        hidden === undefined ? undefined : `${from} answers ${hidden}, which may hide one`
      return place === own ? { from: led, unseen } : { to: led, unseen }
    } catch (error) {
      if (error instanceof Problem) return { unseen: `${from} was not seen: ${error.what}` }
      throw error
    }
  })
  const all = await Promise.all(asked)
  return {
    to: all.flatMap(({ to = [] }) => to),
    from: all.flatMap(({ from = [] }) => from),
    unseen: all.flatMap(({ unseen }) => unseen ?? []),
  }
}

const REDIRECTS = [301, 302, 303, 307, 308]
/** A redirect of the web server to the usual name of its site, and the like, on the way. */
const MOST_HOPS = 5

/** Where the redirects of an address end up as wished. `hidden`: a status behind which one may be. */
async function follow(
  web: At['web'],
  start: URL,
  isEnd: (host: string) => boolean,
): Promise<{ readonly to?: URL; readonly hidden?: number }> {
  let url = start
  for (let hop = 0; hop < MOST_HOPS; hop += 1) {
    const { status, header } = await web.fetch(url.href, { method: 'HEAD' })
    const [location = ''] = header('location')
    if (!REDIRECTS.includes(status)) return isTelling(status) ? {} : { hidden: status }
    // One without a host stays where it was asked.
    if (!URL.canParse(location, url.href)) return {}
    const to = new URL(location, url)
    if (isEnd(to.host)) return { to }
    if (!isSameSite(to, url)) return {}
    url = to
  }
  return {}
}

/** Of whoever else is asked, it would decide what this machine asks. */
function isSameSite(to: URL, from: URL): boolean {
  const site = ({ hostname }: URL) => hostname.split('.').slice(-2).join('.')
  return /^https?:$/.test(to.protocol) && to.port === '' && site(to) === site(from)
}

/** What is only refused, or fails, may be redirected for others. */
function isTelling(status: number): boolean {
  return status < 500 && ![401, 403, 405, 429].includes(status)
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
