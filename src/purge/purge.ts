import { counted } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { prose, type ToType } from '../core/to-type.ts'
import { type Ended, flow, type Run } from '../flow/flow.ts'
import { findMastodonHere, instanceUnknown } from '../flow/mastodon-here.ts'
import { chooseAccount } from '../flow/token.ts'
import { chooseCloudflare, connectWorld } from '../flow/world.ts'
import type { Command } from '../host.ts'
import type { PlaceWorld } from '../plan/step.ts'
import { oldPlaces, settingsSoFar } from '../redirects/old-places.ts'
import { permissionNames } from '../services/cloudflare/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { replay } from '../settings/replay.ts'
import { findTarget, targetPlace } from '../setup/target.ts'
import type { Closing } from '../ui/port.ts'
import { type Places, readAddress, readAddresses, type Wanted } from './addresses.ts'
import { deleteObjects } from './delete-objects.ts'
import { type Purging, purgeCache, purgeToken, purgeTokenLink } from './purge-cache.ts'
import { purgeCatalog, purgeFlags } from './settings.ts'
import { shownMedia } from './shown-media.ts'
import { sizesOf } from './sizes.ts'
import type { ServedPlace, Targets } from './targets.ts'

type PurgeRun = Run<typeof purgeCatalog>

/** Gone means gone: out of Cloudflare's cache, with `--and-delete` out of the bucket, and proven. */
export const purge: Command = {
  run: (host, argv) =>
    flow(host, argv, {
      name: 'purge',
      catalog: purgeCatalog,
      accepts: purgeFlags,
      async prepare(run) {
        const { world, targets } = await prepare(run)
        const deleted = run.settings.on('andDelete')
        const purging = purgeCache(targets, { deleted })
        const again = replay('purge', purgeFlags, run.settings.entries())
        return {
          world,
          steps: [...(deleted ? [deleteObjects(targets, purging.purge)] : []), purging.step],
          planTitle: 'Plan',
          shown: ['mediaHost', 'bucket'],
          // What is deleted is in the plan only because of --and-delete.
          ...(deleted && { flagged: true as const }),
          again,
          details: () => ({ purge: { proofs: [...purging.proofs] } }),
          closing: (ended) => closing({ ...ended, again, targets, purging, deleted }),
        }
      },
    }),
}

async function prepare(run: PurgeRun): Promise<{ world: PlaceWorld; targets: Targets }> {
  const { settings, ui } = run
  if (settings.get('address') === undefined) await askAddress(run)
  const installation = await findMastodonHere(run)
  const target = await findTarget(installation, settings.get('s3EndpointUrl'))
  settings.offer('mediaHost', target.mediaHost, installation.envFile.path)
  settings.offer('bucket', target.bucket, installation.envFile.path)
  const places = await placesOf(installation, target.mediaHost, ui)
  const wanted = readAddresses(settings.need('address'), places)
  const withoutToken = ui.canAsk ? undefined : settings.missing(['apiToken'])
  if (withoutToken) throw withoutToken
  if (target.accountId !== undefined && settings.get('accountId') === undefined) {
    settings.offer('accountId', target.accountId, installation.envFile.path)
  }
  const { cloudflare } = await chooseCloudflare(run, purgeToken)
  const world = await connectWorld(
    run,
    { place: targetPlace(installation, target) },
    { cloudflare },
  )
  const accountId = await chooseAccount(settings, ui, cloudflare)
  const served = await servedPlaces(run, places, async (host) => {
    const zone = await cloudflare.findZone(host)
    return zone?.account.id === accountId ? zone : undefined
  })
  const found = await mediaOf(world, wanted, places)
  const sizes = await sizesOf(world.connectS3(target.key), [
    ...new Set(found.map(({ key }) => key)),
  ])
  const [instanceHost] = places.instanceHosts
  const targets: Targets = {
    ...sizes,
    mediaHost: target.mediaHost,
    places: served,
    origin: `https://${instanceHost}`,
    queries: found.filter(({ query }) => query !== ''),
  }
  return { world, targets }
}

async function askAddress({ settings, ui }: PurgeRun): Promise<void> {
  const missing = ui.canAsk ? undefined : settings.missing(['address'])
  if (missing) throw missing
  const typed = await ui.ask({
    message: 'What should go?',
    hint: 'The address of a file, a post or an account, such as /@somebody/1',
    fault: (text) => settings.fault('address', [text]),
  })
  settings.offer('address', [typed], 'you')
}

async function placesOf(
  installation: Installation,
  mediaHost: string,
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

type Media = Extract<Wanted, { kind: 'media' }>

/** Posts and accounts become the media that Mastodon shows of them. Problem `nothing-to-purge`. */
async function mediaOf(
  { web }: Pick<PlaceWorld, 'web'>,
  wanted: readonly Wanted[],
  places: Places,
): Promise<Media[]> {
  const found: Media[] = []
  for (const one of wanted) {
    if (one.kind === 'media') {
      found.push(one)
      continue
    }
    const shown = await shownMedia(web, places.instanceHosts[0], one)
    const own = shown.flatMap((address) => {
      const media = readAddress(address, places)
      return typeof media !== 'string' && media.kind === 'media' ? [media] : []
    })
    if (own.length === 0) throw nothingStored(one.address, shown)
    found.push(...own)
  }
  return found
}

interface PurgeEnded extends Ended {
  readonly again: ToType
  readonly targets: Targets
  readonly purging: Purging
  readonly deleted: boolean
}

/** The last words of `purge`: what each address answered, and what stays for the person. */
function closing({ report, again, targets, purging, deleted }: PurgeEnded): Closing {
  const carryOut = { title: 'To carry it out', lines: [prose`  ${again}`] }
  if (report.dryRun) {
    return { headline: 'That is the plan. Nothing was changed.', sections: [carryOut] }
  }
  if (report.problem) {
    const isBegun = report.steps.some(({ status }) => status === 'changed' || status === 'failed')
    const headline = isBegun ? 'Not finished. It is safe to run it again.' : 'Nothing was changed.'
    return { headline, sections: [{ title: 'Again', lines: [prose`  ${again}`] }] }
  }
  const files = counted(targets.present.length + targets.absent.length, 'file')
  const proven = purging.proofs.map(({ url, status, cache }) => {
    return `  ${status} ${cache ?? 'no cf-cache-status'}  ${url}`
  })
  const wasThere = targets.present.length > 0
  const stays = deleted
    ? 'Mastodon still knows of it: delete the post or the picture there, too, so that nothing shows an empty frame, and that other servers are told.'
    : 'It is still in the bucket: whoever has the address gets it, and Cloudflare keeps it anew. --and-delete removes it from there.'
  return {
    headline:
      deleted && wasThere
        ? `Gone: ${files}, from the bucket and from Cloudflare's cache.`
        : `Purged: ${files}, from Cloudflare's cache${wasThere ? '' : '; none of it is in the bucket'}.`,
    sections: [
      { title: 'What each address answered, from here', lines: proven },
      {
        title: 'What stays',
        lines: [
          ...(wasThere ? [stays] : []),
          'Browsers and other servers keep copies of their own, which nobody can purge from here.',
        ],
      },
    ],
  }
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

function nothingStored(address: string, shown: readonly string[]): Problem {
  const why =
    shown.length === 0
      ? 'It has no media.'
      : `Its media is not stored here, but at:\n${shown.map((one) => `  ${one}`).join('\n')}`
  return new Problem({
    code: 'nothing-to-purge',
    what: `There is nothing to purge of ${address}.`,
    why,
    next: 'Leave it out, or give the addresses of media themselves.',
    exit: 2,
  })
}
