import { Problem } from '../core/problem.ts'
import type { Run } from '../flow/flow.ts'
import { findMastodonHere, instanceUnknown, remember } from '../flow/mastodon-here.ts'
import { openMediaFolder } from '../flow/media-folder.ts'
import { chooseCloudflare, connectWorld, runnerOf } from '../flow/world.ts'
import type { PlaceWorld } from '../plan/step.ts'
import type { CloudflarePort } from '../services/cloudflare/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'
import { findTarget, targetPlace } from '../setup/target.ts'
import { knownMedia } from './known-media.ts'
import type { OldPrefix, Redirecting } from './redirecting.ts'
import type { redirectsCatalog } from './settings.ts'

export type RedirectsRun = Run<typeof redirectsCatalog>

export interface PreparedRedirects {
  readonly world: PlaceWorld
  readonly redirecting: Redirecting
  readonly instanceHost: string
  /** As given, or /system/ of the instance. */
  readonly prefixes: readonly OldPrefix[]
}

/** What the env file knows; nothing is asked of the network here. */
export async function prepareRedirects(
  run: RedirectsRun,
  { web, ca }: { readonly web?: PublicWebPort; readonly ca?: string | undefined } = {},
): Promise<PreparedRedirects> {
  const { host, settings } = run
  const installation = await findMastodonHere(run)
  const target = await findTarget(installation, settings.get('s3EndpointUrl'))
  if (settings.get('mediaHost') === undefined) {
    settings.offer('mediaHost', target.mediaHost, installation.envFile.path)
  }
  const mediaHost = settings.need('mediaHost')
  const instanceHost = installation.webDomain ?? installation.localDomain
  if (instanceHost === undefined) throw instanceUnknown(installation)
  const prefixes = prefixesOf(run, installation, { instanceHost, mediaHost })
  const local = await localMedia(run, installation)
  const place = { ...targetPlace(installation, target), mediaHost }
  const world = await connectWorld(
    run,
    { place },
    { runner: runnerOf(host), ca, ...(web && { web }) },
  )
  const remembered = remember(installation, settings.get('s3EndpointUrl'))
  const redirecting: Redirecting = {
    mediaHost,
    status: settings.need('status') === '302' ? 302 : 301,
    known: knownMedia(local),
    switchedOn: remembered.storage === 'r2' && remembered.switchedOn,
    local,
  }
  return { world, redirecting, instanceHost, prefixes }
}

/** Cloudflare, where a token was given, or where a person can be asked and one is of use. */
export async function connectWithToken(
  run: RedirectsRun,
  { needed, useful }: { readonly needed: boolean; readonly useful: boolean },
): Promise<CloudflarePort | undefined> {
  const { ui, settings } = run
  const isGiven = settings.get('apiToken') !== undefined
  if (!isGiven && !ui.canAsk) {
    const problem = needed ? settings.missing(['apiToken']) : undefined
    if (problem) throw problem
    return undefined
  }
  if (!isGiven && !needed && !useful) return undefined
  if (!isGiven) {
    ui.note('For redirects the token needs these permissions, and no others', [
      'Zone (of the instance): Single Redirect: Edit, Zone: Read, DNS: Read',
      'For --engine bulk: Account Filter Lists: Edit and Account Rulesets: Edit, too',
    ])
  }
  return (await chooseCloudflare(run)).cloudflare
}

/** Mastodon serves local media below PAPERCLIP_ROOT_URL, which is /system unless told. */
function prefixesOf(
  { settings }: RedirectsRun,
  installation: Installation,
  hosts: { readonly instanceHost: string; readonly mediaHost: string },
): readonly OldPrefix[] {
  const { instanceHost, mediaHost } = hosts
  const root = installation.settings.get('PAPERCLIP_ROOT_URL')?.value ?? '/system'
  const path = /^\/[\w.~-]+(\/[\w.~-]+)*\/?$/.test(root)
    ? `${root.replace(/\/$/, '')}/`
    : '/system/'
  const given = settings.get('from') ?? [{ host: undefined, path }]
  const prefixes = given.map(({ host = instanceHost, path }) => ({ host, path }))
  const bad = prefixes.find(
    ({ host, path }) => host === mediaHost || (host === instanceHost && path === '/'),
  )
  if (bad) throw loop(bad, mediaHost)
  const once = new Map(prefixes.map((prefix) => [`${prefix.host}${prefix.path}`, prefix]))
  return [...once.values()]
}

async function localMedia(run: Parameters<typeof openMediaFolder>[0], { media }: Installation) {
  if (media.root === undefined || !media.readable || media.files === 0) return undefined
  return (await openMediaFolder(run, media.root)).source
}

function loop({ host, path }: OldPrefix, mediaHost: string): Problem {
  return new Problem({
    code: 'redirect-of-itself',
    what: `https://${host}${path} can't be redirected to https://${mediaHost}/.`,
    why:
      host === mediaHost
        ? 'It is the media host itself: nothing would be served any more.'
        : 'The whole of Mastodon would be redirected.',
    next: 'Name where the old media addresses begin, such as --from https://old.example.com/media/',
    exit: 2,
  })
}
