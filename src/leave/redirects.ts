import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import { instanceUnknown } from '../flow/mastodon-here.ts'
import { wordsFor } from '../flow/token.ts'
import { chooseCloudflare } from '../flow/world.ts'
import { classOf } from '../plan/report-schema.ts'
import type { PlaceWorld, StepIn, World } from '../plan/step.ts'
import { dropSingleRedirects } from '../redirects/drop.ts'
import {
  type KnownMedia,
  newUrl,
  type OldPrefix,
  type Redirecting,
} from '../redirects/redirecting.ts'
import { singleRedirect } from '../redirects/single.ts'
import { permissionNames, type Zone } from '../services/cloudflare/port.ts'
import { mediaAddresses } from '../setup/media-addresses.ts'
import type { Leaving } from './leaving.ts'
import type { LeaveRun, PreparedLeave } from './prepare.ts'

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
 * who comes back to R2 takes it back. Problems: `leave-not-switched`, `media-zone-not-seen`.
 */
export async function leaveRedirects(
  run: LeaveRun,
  prepared: PreparedLeave,
): Promise<RedirectParts> {
  const { settings, ui } = run
  const { at, mediaHost } = prepared
  const undo = settings.on('undo')
  if (!undo && !at.isSwitched) throw notSwitched(at)
  const base = newBase(prepared)
  const missing = ui.canAsk ? undefined : settings.missing(['apiToken'])
  if (missing) throw missing
  const { cloudflare, token } = await chooseCloudflare(run, words)
  await token()
  const zone = await cloudflare.findZone(mediaHost)
  if (zone === undefined) throw zoneNotSeen(mediaHost)
  const prefix = { host: mediaHost, path: '/' }
  const world = { ...prepared.world, cloudflare }
  if (undo) {
    const wish = { mediaHost: base, only: [prefix], ruleOnly: takeBack(at) }
    return { steps: [dropSingleRedirects(wish, [zone])], world }
  }
  return { steps: redirectThere(at, { base, prefix, zone }), world }
}

function takeBack({ lineFor }: Leaving): NonNullable<Redirecting['ruleOnly']> {
  return { remove: lineFor('redirects', { undo: true }) }
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
  const known = knownThere(at, base)
  const redirecting: Redirecting = {
    mediaHost: base,
    status: 302,
    known,
    switchedOn: true,
    local: undefined,
    ruleOnly: takeBack(at),
  }
  return [
    {
      id: 'known-media',
      title: 'Known media',
      async look(world) {
        const problem = await known.fault(world)
        if (problem) return { is: 'blocked', problem }
        const many = (await known.keys(world)).length
        const files = many === 1 ? 'a known file is' : `${many} known files are`
        return { is: 'ready', note: `${files} on R2, and given out at https://${base}` }
      },
    },
    singleRedirect(redirecting, prefix, zone),
  ]
}

const MOST = 3
/** Files that are looked through for them. */
const SAMPLED = 2_000

/** Files that both sides have and everyone may see, of different kinds where there are. */
function knownThere({ there, bucket, signal }: Leaving, base: string): KnownMedia {
  let looking: Promise<readonly string[]> | undefined
  const find = async () => {
    const found = new Map<string, string>()
    let looked = 0
    for await (const files of there.source.files({ signal, few: true })) {
      for (const { key, mode = 0o644 } of files) {
        looked += 1
        const kind = key.split('/')[0] ?? ''
        const isPublic = (mode & 0o004) !== 0 && classOf(key).private !== true
        const isWanted = isPublic && /^[\w./-]+$/.test(key) && key.includes('/')
        if (!isWanted || found.has(kind) || kind === 'mastodon-r2-probe') continue
        if ((await bucket().head(key)) !== undefined) found.set(kind, key)
        if (found.size >= MOST) return [...found.values()]
      }
      if (looked >= SAMPLED && found.size > 0) break
    }
    return [...found.values()]
  }
  const keys = () => {
    looking ??= find().catch((error: unknown) => {
      looking = undefined
      throw error
    })
    return looking
  }
  return {
    keys,
    async fault({ web }) {
      const known = await keys()
      if (known.length === 0) return nothingKnown(there)
      for (const key of known) {
        const url = newUrl(base, key)
        const { status, header } = await web.fetch(url, { method: 'HEAD' })
        const [to] = header('location')
        if (status !== 200) return notGivenOut(url, to ?? `status ${status}`)
      }
      return undefined
    },
  }
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

function notSwitched({ there, lineFor }: Leaving): Problem {
  return new Problem({
    code: 'leave-not-switched',
    what: `Mastodon does not store its media ${there.words.on} yet.`,
    why: 'Redirected now, everything that is uploaded from here on would be out of sight.',
    next: prose`Switch it first:\n  ${lineFor('cutover')}`,
    exit: 2,
  })
}

function zoneNotSeen(mediaHost: string): Problem {
  return new Problem({
    code: 'media-zone-not-seen',
    what: `The API token sees no zone of ${mediaHost}.`,
    why: 'The redirect is a rule of the zone that the media host is in.',
    next: `Give the token "${permissionNames.zone}" and "${permissionNames['single-redirects']}" for that zone, and run this again.`,
  })
}

function nothingKnown({ words: { on } }: Leaving['there']): Problem {
  return new Problem({
    code: 'no-media-on-both-sides',
    what: `No file was found that is on R2 and ${on}.`,
    why: 'A redirect is only made once a known file was seen to come from where it leads.',
    next: prose`Copy first: ${toType('leave', { stage: 'copy' })}`,
  })
}

function notGivenOut(url: string, instead: string): Problem {
  return new Problem({
    code: 'new-place-not-served',
    what: `${url} is not given out: ${instead}.`,
    why: 'Redirected now, old addresses would lead to nothing, or round in a circle.',
    next: 'Let it be served there (redirects of that address have to go first), and run this again.',
  })
}
