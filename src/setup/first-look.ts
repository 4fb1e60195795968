import { prose, toType } from '../core/to-type.ts'
import {
  findMastodonFiles,
  holdEnvFile,
  isNowhere,
  nowhere,
  type Remembered,
  remember,
} from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import type { Rehearsal } from '../rehearse/rehearsal.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { printsNoSettings, refuseContradictions, type SetupCatalog } from '../settings/catalog.ts'
import { firstFlag, isFlag, noEffect } from '../settings/no-effect.ts'
import { hasMedia, mediaWords } from './existing-media.ts'
import { bringOut, hiddenWords } from './hidden-media.ts'

export interface FirstLook {
  /** Mastodon as its files tell, or a rehearsal's copy of it. */
  readonly installation: Installation
  /** Mastodon itself. */
  readonly found: Installation
  readonly remembered: Remembered
  readonly rehearsal: Rehearsal | undefined
}

/** What this machine tells, up to the first question about it: no more than that is loaded for it. */
export async function firstLook(
  run: Run<SetupCatalog>,
  /** `found`: Mastodon, where it was looked for just before. */
  {
    lookOnly,
    found: known,
  }: { readonly lookOnly: boolean; readonly found?: Installation | undefined },
): Promise<FirstLook> {
  const { ui, settings } = run
  // The jurisdiction "default" is none, which a location may go with.
  const isNone = settings.get('jurisdiction') === 'default'
  refuseContradictions((name) =>
    name === 'jurisdiction' && isNone ? undefined : settings.source(name),
  )
  refuseOfSettings(settings)
  // What is taken back may be told by flags alone.
  const first = lookOnly ? (known ?? (await findMastodonFiles(run))) : await findOrAsk(run, known)
  const held = await holdEnvFile(run, first.envFile, { lookOnly })
  const found = held === 'changed' ? await findMastodonFiles(run) : first
  const isBegun = run.host.standIn !== undefined
  const rehearsal = settings.on('sandbox') && !isBegun ? await rehearsed(run, found) : undefined
  const installation = rehearsal?.installation ?? found
  if (!isBegun) ui.say(rehearsal?.isSample ? madeUp(installation) : describe(installation))
  const remembered = remember(installation, settings.get('s3EndpointUrl'))
  if (remembered.elsewhere !== undefined && !lookOnly) ui.warn(mediaWords(installation, remembered))
  await recall(run, remembered)
  if (lookOnly) assumeStorage(run, remembered)
  if (!lookOnly) tellHiddenMedia(run, installation, remembered)
  if (!lookOnly && installation.media.unseen && !ui.canAsk) {
    ui.warn(mediaWords(installation, remembered))
  }
  refuseMissing(run, installation, remembered)
  tellMediaHost(run)
  return { installation, found, remembered, rehearsal }
}

/**
 * Rules at the edge are an extra: a person who sets up for the first time is asked, before the token
 * is, because they need permissions of their own. `--yes` and later runs go without the question.
 */
export async function chooseEdge(
  { ui, settings }: Run<SetupCatalog>,
  { storage }: Pick<Remembered, 'storage'>,
): Promise<void> {
  refuseTimeAlone(settings)
  const isLater = storage === 'r2' || settings.on('announce')
  if (!ui.canAsk || settings.get('edge') !== undefined || settings.on('yes') || isLater) return
  const answer = await ui.choose({
    message:
      'Should Cloudflare also protect and cache the media host? These are rules in your zone.',
    options: [
      {
        value: 'recommended',
        label: 'Yes, as recommended',
        hint: 'protective headers, everything cached, archives of users refused',
      },
      { value: 'none', label: 'No', hint: 'can be added later: init --edge recommended' },
    ],
  })
  await settings.ready()
  settings.offer('edge', answer, 'you')
}

/** A time is that of a rule. Problem `flag-without-effect`. */
function refuseTimeAlone(settings: Run<SetupCatalog>['settings']): void {
  if (!isFlag(settings, 'edgeTtl') || settings.get('edge')?.includes('cache-everything')) return
  const next = prose`Add the rule: ${toType('init', { edge: 'cache-everything', edgeTtl: '30d' })}`
  throw noEffect(
    '--edge-ttl',
    'It is the time of the rule cache-everything, which is not among --edge.',
    next,
  )
}

async function rehearsed(run: Run<SetupCatalog>, found: Installation): Promise<Rehearsal> {
  const { rehearse } = await import('../rehearse/rehearsal.ts')
  return rehearse(run, found)
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
  const found = known ?? (await findMastodonFiles(run))
  const needsNone = settings.on('print') || settings.on('sandbox')
  if (needsNone || !isNowhere(found, settings)) return found
  if (!ui.canAsk) throw nowhere({ print: true })
  await settings.ready()
  const dir = await ui.ask({
    message: 'No Mastodon was found here. In which folder is it, or its compose file?',
    hint: 'On another machine? Ctrl-C, then: init --print',
    fault: (typed) => settings.fault('mastodonDir', typed),
  })
  settings.offer('mastodonDir', dir, 'you')
  return findMastodonFiles(run)
}

/** What the env file knows comes before defaults and questions. */
async function recall({ settings }: Run<SetupCatalog>, remembered: Remembered): Promise<void> {
  const bucket = settings.get('bucket')
  const isAnother = bucket !== undefined && remembered.switchedOn && bucket !== remembered.bucket
  const known = {
    // A host serves one bucket: another bucket needs another one.
    mediaHost: isAnother ? undefined : remembered.mediaHost,
    bucket: remembered.bucket,
    accountId: remembered.accountId,
    jurisdiction: remembered.jurisdiction === 'default' ? undefined : remembered.jurisdiction,
  }
  if (Object.values(known).some((value) => value !== undefined)) await settings.ready()
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
