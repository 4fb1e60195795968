import { Problem } from '../core/problem.ts'
import { findMastodonHere, instanceUnknown } from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import { chooseAccount } from '../flow/token.ts'
import { chooseCloudflare, connectWorld } from '../flow/world.ts'
import type { PlaceWorld } from '../plan/step.ts'
import { oldPlaces, settingsSoFar } from '../redirects/old-places.ts'
import { permissionNames } from '../services/cloudflare/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { findTarget, type MigrationTarget, targetPlace } from '../setup/target.ts'
import type { Places } from './addresses.ts'
import { purgeToken, purgeTokenLink } from './purge-cache.ts'
import type { purgeCatalog } from './settings.ts'
import type { ServedPlace, Targets } from './targets.ts'

export type PurgeRun = Run<typeof purgeCatalog>

/** What this machine tells. */
export interface Here {
  readonly installation: Installation
  readonly target: MigrationTarget
}

export async function findHere(run: PurgeRun): Promise<Here> {
  const { settings } = run
  const installation = await findMastodonHere(run)
  const target = await findTarget(installation, settings)
  settings.offer('mediaHost', target.mediaHost, installation.envFile.path)
  settings.offer('bucket', target.bucket, installation.envFile.path)
  return { installation, target }
}

/** Cloudflare as the token sees it, and the places that it is in front of. */
export async function findCaches(
  run: PurgeRun,
  { installation, target }: Here,
  places: Places,
): Promise<{ world: PlaceWorld } & Pick<Targets, 'places' | 'origin' | 'mediaHost'>> {
  const { settings, ui } = run
  const withoutToken = ui.canAsk ? undefined : settings.missing(['apiToken'])
  if (withoutToken) throw withoutToken
  if (target.accountId !== undefined && settings.get('accountId') === undefined) {
    settings.offer('accountId', target.accountId, installation.envFile.path)
  }
  const { cloudflare } = await chooseCloudflare(run, purgeToken)
  const place = targetPlace(installation, target)
  const world = await connectWorld(run, { place }, { cloudflare })
  const accountId = await chooseAccount(settings, ui, cloudflare)
  const served = await servedPlaces(run, places, async (host) => {
    const zone = await cloudflare.findZone(host)
    return zone?.account.id === accountId ? zone : undefined
  })
  const [instanceHost] = places.instanceHosts
  return { world, places: served, origin: `https://${instanceHost}`, mediaHost: target.mediaHost }
}

/** Where media of this Mastodon is and was. Problem `instance-unknown`. */
export async function placesOf(
  { installation, target: { mediaHost } }: Here,
  ui: PurgeRun['ui'],
): Promise<Places> {
  const { webDomain, localDomain } = installation
  const [first, ...more] = [webDomain, localDomain].filter((host) => host !== undefined)
  if (first === undefined) throw instanceUnknown(installation)
  const hosts = { instanceHost: first, mediaHost }
  const old = oldPlaces(await settingsSoFar(installation, ui), hosts, { hasFiles: true })
  return { instanceHosts: [first, ...more], mediaHost, old }
}

/** The media host, and the old places whose zone the token sees. Problem `zone-not-shown`. */
async function servedPlaces(
  { ui }: PurgeRun,
  { mediaHost, old }: Places,
  findZone: (host: string) => Promise<ServedPlace['zone'] | undefined>,
): Promise<ServedPlace[]> {
  const zones = new Map<string, ServedPlace['zone'] | undefined>()
  for (const host of new Set([mediaHost, ...old.map((place) => place.host)])) {
    zones.set(host, await findZone(host))
  }
  const own = zones.get(mediaHost)
  if (!own) throw zoneNotShown(mediaHost)
  const others = old.flatMap((place) => {
    const zone = zones.get(place.host)
    if (zone) return [{ ...place, zone }]
    ui.warn(
      `${place.host}${place.path} is an old place of media, and the token sees no zone of it: what a cache keeps there stays.`,
    )
    return []
  })
  return [{ host: mediaHost, path: '/', zone: own }, ...others]
}

function zoneNotShown(mediaHost: string): Problem {
  return new Problem({
    code: 'zone-not-shown',
    what: `The API token sees no zone with ${mediaHost}.`,
    why: 'A cache is purged by its zone, and Cloudflare shows this token none of the account that holds the media host.',
    next: `Add "${permissionNames.zone}" and "${permissionNames['cache-purge']}" for the zone, or make a token for this alone: ${purgeTokenLink()}`,
    exit: 2,
  })
}
