import { Problem } from '../core/problem.ts'
import { stateHome } from '../core/state-home.ts'
import { findMastodonHere, instanceUnknown, remember } from '../flow/mastodon-here.ts'
import { openMediaFolder } from '../flow/media-folder.ts'
import type { Run } from '../flow/run.ts'
import { connectWorld, identified, once, runnerOf } from '../flow/world.ts'
import type { PlaceWorld } from '../plan/step.ts'
import type { Checkpoint } from '../services/checkpoint/port.ts'
import type { CloudflarePort } from '../services/cloudflare/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { MediaSource } from '../services/media/port.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'
import { firstFlag, isFlag, noEffect, ofCloudflare, withoutToken } from '../settings/no-effect.ts'
import { findTarget, findTargetBefore, type MigrationTarget, targetPlace } from '../setup/target.ts'
import { knownMedia } from './known-media.ts'
import { type Hosts, isNow, oldPlaces, settingsSoFar } from './old-places.ts'
import { type OldPrefix, prefixName, type Redirecting } from './redirecting.ts'
import type { redirectsCatalog } from './settings.ts'

export type RedirectsRun = Run<typeof redirectsCatalog>

export interface PreparedRedirects {
  readonly world: PlaceWorld
  readonly redirecting: Redirecting
  readonly instanceHost: string
  /** When a cut-over had seen that all of Mastodon runs with R2; undefined where none noted it. */
  readonly runsSince: Date | undefined
  /** As given, or where media addresses pointed to before; empty where that is where they point now. */
  readonly prefixes: readonly OldPrefix[]
}

/** What the env file knows; nothing is asked of the network here. */
export async function prepareRedirects(
  run: RedirectsRun,
  { web, ca }: { readonly web?: PublicWebPort; readonly ca?: string | undefined } = {},
): Promise<PreparedRedirects> {
  const { host, settings } = run
  refuseUnused(run)
  const installation = await findMastodonHere(run)
  const { target, from } = await targetOf(run, installation)
  if (settings.get('mediaHost') === undefined) settings.offer('mediaHost', target.mediaHost, from)
  const mediaHost = settings.need('mediaHost')
  const instanceHost = installation.webDomain ?? installation.localDomain
  if (instanceHost === undefined) throw instanceUnknown(installation)
  const local = await localMedia(run, installation)
  const hosts = { instanceHost, mediaHost, hasFiles: local !== undefined }
  const prefixes = await prefixesOf(run, installation, hosts)
  const place = { ...targetPlace(installation, target), mediaHost }
  const world = await connectWorld(
    run,
    { place },
    { runner: runnerOf(host), ca, ...(web && { web }) },
  )
  const remembered = remember(installation, settings.get('s3EndpointUrl'))
  const checkpoint = once(() => migrationOf(run, local, target))
  const redirecting: Redirecting = {
    mediaHost,
    status: settings.need('status') === '302' ? 302 : 301,
    known: knownMedia(local, async () => isCopied(await checkpoint())),
    switchedOn: remembered.storage === 'r2' && remembered.switchedOn,
    local,
  }
  const noted = (await checkpoint())?.runsSince
  const runsSince = noted === undefined ? undefined : new Date(noted)
  return { world, redirecting, instanceHost, prefixes, runsSince }
}

/** Who takes redirects away may have taken back what they lead to: a backup tells of it then. */
async function targetOf(
  { settings }: RedirectsRun,
  installation: Installation,
): Promise<{ readonly target: MigrationTarget; readonly from: string }> {
  const { path } = installation.envFile
  try {
    return { target: await findTarget(installation, settings), from: path }
  } catch (error) {
    if (!(error instanceof Problem) || !settings.on('remove')) throw error
    const target = await findTargetBefore(installation, settings.get('s3EndpointUrl'))
    if (target === undefined) throw error
    return { target, from: `a backup of ${path}` }
  }
}

function isForWebServer(settings: RedirectsRun['settings']): boolean {
  const via = settings.get('via')
  return (via === 'nginx' || via === 'caddy') && !settings.on('remove')
}

/** What the line of this run leaves out, though a variable tells it. */
export function notAsked({ settings }: RedirectsRun): readonly string[] {
  return isForWebServer(settings) ? ofCloudflare : []
}

/** What a web server does, no token is needed for; and what is taken away has no status. */
function refuseUnused({ settings, ui }: RedirectsRun): void {
  const asked = firstFlag(settings, ofCloudflare)
  if (asked !== undefined && isForWebServer(settings)) {
    throw noEffect(`${asked} with --via ${settings.get('via')}`, 'Cloudflare is not asked then.')
  }
  const isAsked = settings.get('apiToken') !== undefined || ui.canAsk
  if (asked !== undefined && !isAsked) throw withoutToken(asked)
  if (settings.on('remove') && settings.on('assumeRestarted')) {
    throw noEffect('--assume-restarted', 'With --remove nothing has to be restarted.')
  }
  if (settings.on('remove') && isFlag(settings, 'status')) {
    throw noEffect('--status with --remove', 'All redirects of this program go, whatever status.')
  }
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
      'For --via bulk: Account Filter Lists: Edit and Account Rulesets: Edit, too',
    ])
  }
  return await identified(run)
}

/** As given; else everywhere that media addresses pointed to before. */
async function prefixesOf(
  { settings, ui }: RedirectsRun,
  installation: Installation,
  { hasFiles, ...hosts }: Hosts & { readonly hasFiles: boolean },
): Promise<readonly OldPrefix[]> {
  const { instanceHost, mediaHost } = hosts
  const given = settings.get('oldAddress')
  if (given === undefined) {
    return oldPlaces(await settingsSoFar(installation, ui), hosts, { hasFiles })
  }
  const prefixes = given.map(({ host = instanceHost, path }) => ({ host, path }))
  const bad = prefixes.find(
    (prefix) => isNow(prefix, mediaHost) || (prefix.host === instanceHost && prefix.path === '/'),
  )
  if (bad) throw loop(bad, mediaHost)
  return [...new Map(prefixes.map((prefix) => [prefixName(prefix), prefix])).values()]
}

/** A migration has copied everything: what the bucket lacks now was removed since. */
function isCopied(checkpoint: Checkpoint | undefined): boolean {
  return checkpoint?.completeSince !== undefined && checkpoint.failed.length === 0
}

/** What a migration from here has noted; undefined where there was none, or its notes can't be read. */
async function migrationOf(
  { host, ui }: RedirectsRun,
  local: MediaSource | undefined,
  { endpoint, bucket }: MigrationTarget,
): Promise<Checkpoint | undefined> {
  if (local === undefined) return undefined
  const { openCheckpoint, checkpointId } = await import('../services/checkpoint/checkpoint.ts')
  try {
    return await openCheckpoint({
      notice: (line) => ui.warn(line),
      stateHome: stateHome(host.environment),
      id: checkpointId(local.name, endpoint, bucket),
    }).read()
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
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
        ? 'It is where media is served now: nothing would be served any more.'
        : 'The whole of Mastodon would be redirected.',
    next: 'Name where the old media addresses begin, such as --old-address https://old.example.com/media/',
    exit: 2,
  })
}
