import type { Run } from '../flow/flow.ts'
import {
  findMastodonHere,
  holdEnvFile,
  isNowhere,
  nowhere,
  type Remembered,
  remember,
} from '../flow/mastodon-here.ts'
import { chooseCloudflare, connectWorld } from '../flow/world.ts'
import { inSetup, type World } from '../plan/step.ts'
import { type Rehearsal, rehearse } from '../rehearse/rehearsal.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import { refuseContradictions } from '../settings/catalog.ts'
import { firstFlag, noEffect } from '../settings/no-effect.ts'
import { chooseSetup, hasMedia, mediaWords, printsNoSettings } from './choose.ts'
import { chooseEdge } from './edge.ts'
import { bringOut, hiddenWords } from './hidden-media.ts'

export interface PreparedSetup {
  readonly world: World
  readonly remembered: Remembered
  readonly rehearsal: Rehearsal | undefined
}

/** Everything between the flags and the plan, for the commands that set up or check a setup. */
export async function prepareSetup(
  run: Run<SetupCatalog>,
  /** `found`: Mastodon, where it was looked for just before. */
  {
    lookOnly,
    found: known,
  }: { readonly lookOnly: boolean; readonly found?: Installation | undefined },
): Promise<PreparedSetup> {
  const { ui, settings } = run
  // The jurisdiction "default" is none, which a location may go with.
  const isNone = settings.get('jurisdiction') === 'default'
  refuseContradictions((name) =>
    name === 'jurisdiction' && isNone ? undefined : settings.source(name),
  )
  refuseOfSettings(settings)
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  // What is taken back may be told by flags alone.
  const first = lookOnly ? (known ?? (await findMastodonHere(run))) : await findOrAsk(run, known)
  // The run that held it before may have changed what was found.
  const found = (await holdEnvFile(run, first.envFile, { lookOnly }))
    ? await findMastodonHere(run)
    : first
  const isBegun = run.host.standIn !== undefined
  const rehearsal = settings.on('sandbox') && !isBegun ? await rehearse(run, found) : undefined
  const installation = rehearsal?.installation ?? found
  if (!isBegun) ui.say(rehearsal?.isSample ? madeUp(installation) : describe(installation))
  const remembered = remember(installation, settings.get('s3EndpointUrl'))
  if (remembered.elsewhere !== undefined && !lookOnly) ui.warn(mediaWords(installation, remembered))
  recall(run, remembered)
  if (lookOnly) assumeStorage(run, remembered)
  if (!lookOnly) tellHiddenMedia(run, installation, remembered)
  if (!lookOnly && installation.media.unseen && !ui.canAsk) {
    ui.warn(mediaWords(installation, remembered))
  }
  refuseMissing(run, installation, remembered)
  tellMediaHost(run)
  if (!lookOnly) await chooseEdge(run, remembered)
  const { cloudflare, token } = await chooseCloudflare(run)
  // The largest part of the program is loaded while the first answers are under way.
  if (!lookOnly) void import('../services/s3/client.ts')
  const setup = await chooseSetup({
    settings,
    ui,
    installation,
    remembered,
    cloudflare,
    token,
    readEnvFile,
    lookOnly,
  })
  const world = await connectWorld(run, inSetup(setup), {
    cloudflare,
    ca: rehearsal?.standIn.ca.pem,
    scratchOf: rehearsal && found.envFile,
  })
  return { world, remembered, rehearsal }
}

/** Problem `flag-without-effect` for what is about a key or lines that are not made. */
function refuseOfSettings(settings: Run<SetupCatalog>['settings']): void {
  if (!printsNoSettings(settings)) return
  const flag = firstFlag(settings, ['allowIp', 'expires', 'existingMedia'])
  if (flag === undefined) return
  const why = "What is printed is Cloudflare's side: no key is made, and no settings for Mastodon."
  throw noEffect(`${flag} with --format terraform-import`, why)
}

/** Settings are not written where no Mastodon would read them, unless somebody says so. */
async function findOrAsk(run: Run<SetupCatalog>, known?: Installation): Promise<Installation> {
  const { ui, settings } = run
  const found = known ?? (await findMastodonHere(run))
  const needsNone = settings.on('print') || settings.on('sandbox')
  if (needsNone || !isNowhere(found, settings)) return found
  if (!ui.canAsk) throw nowhere({ print: true })
  const dir = await ui.ask({
    message: 'No Mastodon was found here. In which folder is it, or its compose file?',
    hint: 'On another machine? Ctrl-C, then: init --print',
    fault: (typed) => settings.fault('mastodonDir', typed),
  })
  settings.offer('mastodonDir', dir, 'you')
  return findMastodonHere(run)
}

/** What the env file knows comes before defaults and questions. */
function recall({ settings }: Run<SetupCatalog>, remembered: Remembered): void {
  const bucket = settings.get('bucket')
  const isAnother = bucket !== undefined && remembered.switchedOn && bucket !== remembered.bucket
  const known = {
    // A host serves one bucket: another bucket needs another one.
    mediaHost: isAnother ? undefined : remembered.mediaHost,
    bucket: remembered.bucket,
    accountId: remembered.accountId,
    jurisdiction: remembered.jurisdiction === 'default' ? undefined : remembered.jurisdiction,
  }
  for (const [name, value] of Object.entries(known)) {
    const key = name as keyof typeof known
    // A wrong line in the env file is no answer; it is overwritten by what is chosen.
    if (value !== undefined && settings.get(key) === undefined)
      settings.offer(key, value, remembered.from)
  }
}

/** Who only looks is not asked what should happen to old media: what is there is what counts. */
function assumeStorage({ settings }: Run<SetupCatalog>, remembered: Remembered): void {
  const prepared = remembered.storage === 'r2' && !remembered.switchedOn
  settings.offer('existingMedia', prepared ? 'prepare' : 'switch', remembered.from)
}

function tellHiddenMedia(
  { ui, settings }: Run<SetupCatalog>,
  installation: Installation,
  remembered: Remembered,
): void {
  const { hidden } = installation.media
  if (hidden === undefined || !hasMedia(installation, remembered, settings.get('bucket'))) return
  ui.note('Where the media is', [hiddenWords(hidden), ...bringOut(installation)])
}

/** The word is explained before the first question that uses it. */
function tellMediaHost({ ui, settings }: Run<SetupCatalog>): void {
  if (!ui.canAsk || settings.get('mediaHost') !== undefined) return
  ui.say(
    'Media gets a hostname of its own, such as files.example.com: the media host. It is a new name in a domain that you have at Cloudflare; visitors load pictures and films from it.',
  )
}

function refuseMissing(
  { ui, settings }: Run<SetupCatalog>,
  installation: Installation,
  remembered: Remembered,
): void {
  if (ui.canAsk) return
  const isAsked =
    !settings.on('announce') &&
    !printsNoSettings(settings) &&
    hasMedia(installation, remembered, settings.get('bucket'))
  const media = isAsked ? (['existingMedia'] as const) : []
  const problem = settings.missing(['apiToken', 'mediaHost', ...media])
  if (problem) throw problem
}

function madeUp({ localDomain }: Installation): string {
  return `No Mastodon was found here: the rehearsal is about a made-up one, ${localDomain}.`
}

function describe({ kind, version, dir, localDomain, envFile }: Installation): string {
  if (kind === 'none' && !envFile.exists) {
    return `No Mastodon found here; the settings will go to ${envFile.path}.`
  }
  if (kind === 'none') {
    const of = localDomain === undefined ? '' : ` for ${localDomain}`
    return `Found settings of Mastodon${of} in ${envFile.path}; Mastodon itself was not seen here.`
  }
  const what = version === undefined ? 'Mastodon' : `Mastodon ${version}`
  const how = kind === 'docker' ? ' with Docker Compose' : ' with systemd'
  const domain = localDomain === undefined ? '' : ` for ${localDomain}`
  return `Found ${what}${how}${domain} in ${dir ?? envFile.path}.`
}
