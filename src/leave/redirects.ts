import { Problem } from '../core/problem.ts'
import { instanceUnknown } from '../flow/mastodon-here.ts'
import { wordsFor } from '../flow/token.ts'
import { chooseCloudflare } from '../flow/world.ts'
import type { PlaceWorld, StepIn, World } from '../plan/step.ts'
import type { OldPrefix, Redirecting } from '../redirects/redirecting.ts'
import { singleRedirect } from '../redirects/single.ts'
import { permissionNames, type Zone } from '../services/cloudflare/port.ts'
import { noEffect } from '../settings/no-effect.ts'
import { mediaAddresses } from '../setup/media-addresses.ts'
import { knownThere, mediaThere } from './known-there.ts'
import type { Leaving } from './leaving.ts'
import type { LeaveRun, PreparedLeave } from './prepare.ts'
import { notSwitched, refuseBeforeRestart } from './restarted.ts'
import { refuseChanged, takeBackRedirect } from './take-back-redirect.ts'

/** Where addresses of media begin after the way out, without scheme and without a slash at the end. */
export function newBase({ at, provider }: Pick<PreparedLeave, 'at' | 'provider'>): string {
  if (provider) return provider.mediaUrl.replace(/^https?:\/\//, '')
  const { installation } = at
  const { webDomain, localDomain, settings } = installation
  const instanceHost = webDomain ?? localDomain
  if (instanceHost === undefined) throw instanceUnknown(installation)
  const off = new Map([...settings, ['S3_ENABLED', { value: 'false', from: '' }] as const])
  const [address] = mediaAddresses(off, instanceHost)
  if (address === undefined) throw instanceUnknown(installation)
  return `${address.host}${address.path}`.replace(/\/+$/, '')
}

interface RedirectParts {
  readonly steps: readonly StepIn<PlaceWorld>[]
  readonly world: PlaceWorld
}

/**
 * The media host of R2 leads to the new place, by a rule of its zone: the rule comes before the bucket,
 * so the host stays attached to it, which also keeps it in DNS and behind Cloudflare. 302 alone, as
 * who comes back to R2 takes it back. Problems: those of `refuseBeforeRestart`, `media-zone-not-seen`.
 */
export async function leaveRedirects(
  run: LeaveRun,
  prepared: PreparedLeave,
): Promise<RedirectParts> {
  const { settings, ui } = run
  const { at, mediaHost } = prepared
  const undo = settings.on('undo')
  const assumed = settings.on('assumeRestarted')
  if (undo && assumed)
    throw noEffect('--assume-restarted', 'With --undo nothing has to be restarted.')
  if (!undo && !at.isSwitched) throw notSwitched(at)
  if (!undo) await refuseBeforeRestart(at, prepared.world, { assumed })
  const base = newBase(prepared)
  const missing = ui.canAsk ? undefined : settings.missing(['apiToken'])
  if (missing) throw missing
  const { cloudflare, token } = await chooseCloudflare(run, words)
  await token()
  const zone = await cloudflare.findZone(mediaHost)
  if (zone === undefined) throw zoneNotSeen(mediaHost)
  const prefix = { host: mediaHost, path: '/' }
  const world = { ...prepared.world, cloudflare }
  if (undo) return { steps: [takeBackRedirect(at, mediaHost, zone)], world }
  return { steps: redirectThere(at, { base, prefix, zone }), world }
}

interface Way {
  readonly base: string
  readonly prefix: OldPrefix
  readonly zone: Pick<Zone, 'id' | 'name'>
}

/** Known media first, then the rule. */
function redirectThere(
  at: Leaving,
  { base, prefix, zone }: Way,
): readonly StepIn<Pick<World, 'cloudflare' | 'web' | 'connectS3' | 'clock' | 'place'>>[] {
  const known = mediaThere(at, base)
  const redirecting: Redirecting = {
    mediaHost: base,
    status: 302,
    known,
    switchedOn: true,
    local: undefined,
    ruleOnly: { remove: at.lineFor('redirects', { undo: true }) },
  }
  const single = singleRedirect(redirecting, prefix, zone)
  const rule: typeof single = {
    ...single,
    async look(world) {
      await refuseChanged(world, prefix.host, zone)
      return single.look(world)
    },
  }
  return [knownThere(known, base), rule]
}

const words = wordsFor({
  name: 'mastodon-r2 leave',
  keys: [
    ['dynamic_url_redirects', 'edit'],
    ['zone', 'read'],
  ],
  permissions: (['single-redirects', 'zone'] as const).map(
    (name) => `Zone (of the media host): ${permissionNames[name]}`,
  ),
})

function zoneNotSeen(mediaHost: string): Problem {
  return new Problem({
    code: 'media-zone-not-seen',
    what: `The API token sees no zone of ${mediaHost}.`,
    why: 'The redirect is a rule of the zone that the media host is in.',
    next: `Give the token "${permissionNames.zone}" and "${permissionNames['single-redirects']}" for that zone, and run this again.`,
  })
}
