import { Problem, type ProblemDetails } from '../core/problem.ts'
import { asRoot, prose } from '../core/to-type.ts'
import { preparedPath, type Remembered, r2Endpoint, remember } from '../flow/mastodon-here.ts'
import { chooseAccount } from '../flow/token.ts'
import type { Setup } from '../plan/step.ts'
import type { BootstrapToken, CloudflarePort, KeyOwner } from '../services/cloudflare/port.ts'
import {
  type Declared,
  type EnvFileOnDisk,
  envFileNotWritable,
  type Installation,
} from '../services/mastodon/port.ts'
import type { S3Key } from '../services/s3/port.ts'
import { printsNoSettings, type SetupCatalog } from '../settings/catalog.ts'
import { bucketFor } from '../settings/names.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Ui } from '../ui/port.ts'
import { chooseHost } from './choose-host.ts'
import { hasMedia, mediaWords } from './existing-media.ts'
import { withoutZones } from './token.ts'

/** A new key works within a minute (Cloudflare docs); half as much again for a slow day. */
const WAIT_KEY_MS = 90_000

export interface SetupContext {
  readonly settings: Settings<SetupCatalog>
  readonly ui: Ui
  readonly installation: Installation
  readonly remembered: Remembered
  readonly cloudflare: CloudflarePort
  /** Who the token is; may still be asked for. */
  readonly token: () => Promise<BootstrapToken>
  /** Nothing will be written, so the env file need not be writable. */
  readonly lookOnly: boolean
  /** Reads what is at a path beside the env file. */
  readonly readEnvFile: (path: string) => Promise<EnvFileOnDisk>
}

/** The choices that need Cloudflare's answers: account, media host and zone, owner of the key. */
export async function chooseSetup(context: SetupContext): Promise<Setup> {
  const { settings, installation, token } = context
  const { accountId, mediaHost, zone, owner } = await choosePlace(context)
  if (settings.get('bucket') === undefined) {
    settings.offer('bucket', bucketFor(installation.localDomain ?? zone.name), 'default')
  }
  const storage = await chooseStorage(context)
  const jurisdiction = settings.need('jurisdiction')
  const bucket = settings.need('bucket')
  const s3Endpoint = settings.get('s3EndpointUrl') ?? r2Endpoint(accountId, jurisdiction)
  const target = await chooseTarget(context, storage)
  return {
    token,
    owner,
    isOwnerWished: settings.get('tokenKind') !== undefined && !context.lookOnly,
    at: { accountId, bucket, jurisdiction },
    jurisdictionGiven: settings.isGiven('jurisdiction'),
    location: settings.get('location'),
    zone,
    mediaHost,
    corsOrigins: settings.need('corsOrigin'),
    allowIps: settings.get('allowIp') ?? [],
    keyExpiresOn: settings.get('expires'),
    s3Endpoint,
    waitDomainMs: settings.need('waitDomain'),
    waitKeyMs: WAIT_KEY_MS,
    installation,
    storage,
    target,
    knownKey: await findKnownKey(context, target, bucket, s3Endpoint),
  }
}

/**
 * Where the setup is and whose the key is. The zone of a host that was given is looked for while the
 * token is identified; what is wrong with the token is told before all else.
 */
async function choosePlace({ settings, ui, cloudflare, installation, token }: SetupContext) {
  const account = chooseAccount(settings, ui, cloudflare)
  const host = chooseHost({ settings, ui, cloudflare, installation, account })
  host.catch(() => undefined)
  const accountId = await account.catch(async (error: unknown) => {
    await token()
    throw error
  })
  const owning = chooseOwner(settings, cloudflare, token, accountId)
  const [place, owner] = await Promise.all([host, owning]).catch(async (error: unknown) => {
    await token()
    // A token without rights to zones sees no domain at all: that is said, and all else that is missing.
    throw (await withoutZones(cloudflare, token, accountId)) ?? error
  })
  return { accountId, owner, ...place }
}

/** An account's key survives people leaving, so it is preferred wherever the token may make one. */
async function chooseOwner(
  settings: Settings<SetupCatalog>,
  cloudflare: CloudflarePort,
  token: () => Promise<BootstrapToken>,
  accountId: string,
): Promise<KeyOwner> {
  const wish = settings.get('tokenKind')
  const kind = (await cloudflare.kindByForm()) ?? (await token()).kind
  if (wish === 'user' && kind === 'account') throw kindImpossible()
  if (wish !== undefined) return wish === 'user' ? { kind: 'user' } : { kind: 'account', accountId }
  const account: KeyOwner = { kind: 'account', accountId }
  if (kind === 'account') return account
  if (await cloudflare.can('account-tokens', { accountId })) return account
  return (await cloudflare.can('user-tokens', { accountId })) ? { kind: 'user' } : account
}

export function kindImpossible(): Problem {
  return new Problem({
    code: 'token-kind-impossible',
    what: "An account-owned API token can't make a key that a user owns.",
    why: '--token-kind user needs a token made under "My Profile".',
    next: "Leave --token-kind out, or use a user's token.",
    exit: 2,
  })
}

/** Old media would be out of sight the moment storage is switched, so that needs a word. */
async function chooseStorage({ settings, ui, installation, remembered }: SetupContext) {
  if (settings.on('announce')) return 'prepare'
  if (printsNoSettings(settings)) return 'switch'
  const given = settings.get('existingMedia')
  const { storage, switchedOn, bucket } = remembered
  const isInForce = storage === 'r2' && switchedOn && bucket === settings.get('bucket')
  if (given === 'prepare' && isInForce) throw switchedAlready(bucket)
  if (given !== undefined) return given
  if (!hasMedia(installation, remembered, settings.get('bucket'))) return 'switch'
  const answer = await ui.choose({
    message: `${mediaWords(installation, remembered)} What should happen?`,
    options: [
      {
        value: 'prepare',
        label: 'Prepare everything, switch later',
        hint: 'nothing changes for visitors; copy the media first',
      },
      {
        value: 'switch',
        label: 'Switch now',
        hint: 'old images and videos break until they are copied',
      },
    ],
  })
  settings.offer('existingMedia', answer, 'you')
  return settings.need('existingMedia')
}

function switchedAlready(bucket: string | undefined): Problem {
  return new Problem({
    code: 'switched-already',
    what: `Mastodon stores its media in ${bucket} already, so nothing can be prepared for later.`,
    why: '--existing-media prepare writes settings that are switched off, and those in use would end.',
    next: 'Leave --existing-media out, or name another bucket with --bucket.',
    exit: 2,
  })
}

async function chooseTarget(
  { settings, ui, installation, remembered, readEnvFile, lookOnly }: SetupContext,
  storage: 'switch' | 'prepare',
): Promise<Setup['target']> {
  const { envFile } = installation
  const isAside = storage === 'prepare' && isInUse(settings, remembered)
  const path = isAside ? preparedPath(envFile) : envFile.path
  if (settings.on('print')) return { kind: 'print', reason: '--print', path }
  const { declared } = installation
  if (declared !== undefined && !lookOnly && !settings.on('sandbox')) {
    throw declaredElsewhere(declared)
  }
  const file = isAside ? await readEnvFile(path) : envFile
  if (file.writable || lookOnly) return { kind: 'file', file }
  if (ui.canAsk) return { kind: 'print', reason: `you are not allowed to write ${path}`, path }
  throw envFileNotWritable(path, {
    needed: 'A key without a place to keep it would be lost.',
    instead: 'or add --print and put the block there yourself',
  })
}

type Words = Pick<ProblemDetails, 'what' | 'why' | 'next'>

const WORDS: Readonly<Record<Declared['by'], (place: string) => Words>> = {
  nixos: (place) => ({
    what: `The env file would be ${place}, in the Nix store.`,
    why: 'Nothing can be written there: NixOS makes the settings of Mastodon from its configuration.',
    next: 'Print them for the configuration, with a file for the keys outside of the store: add --print --format nixos. A file that extraEnvFiles names can be written: --mastodon-env FILE.',
  }),
  kubernetes: (place) => ({
    what: `This is a container of Kubernetes, and ${place} goes with it.`,
    why: 'Every pod takes its settings from the chart, a ConfigMap or a Secret; what is written here would be lost, and no other pod would see it.',
    next: 'Print them for the place where they belong: add --print --format helm (for the chart), or --print --format kubernetes.',
  }),
  quadlet: (place) => ({
    what: `Mastodon is run by Podman here (${place}), and which env file it reads is not looked up by this program.`,
    why: 'A container gets what the lines EnvironmentFile= and Environment= of its .container file give it, so a file beside it would be read by nobody.',
    next: prose`Name the file of EnvironmentFile= with --mastodon-env FILE; web and Sidekiq both need it. After a change: ${asRoot('systemctl restart')}, with the name of each unit. Or add --print, and put the lines there yourself.`,
  }),
}

/** Problem `settings-declared` (exit 2): the env file here is not what Mastodon's settings come from. */
export function declaredElsewhere({ by, place }: Declared): Problem {
  return new Problem({ code: 'settings-declared', ...WORDS[by](place), exit: 2 })
}

/** A block that is switched off would take away the storage that Mastodon uses. */
function isInUse(
  settings: Settings<SetupCatalog>,
  { storage, switchedOn, elsewhere }: Remembered,
): boolean {
  // Pages name S3_ALIAS_HOST in the place of its host, even while S3_ENABLED is not true.
  if (elsewhere !== undefined) return true
  // Another host is announced for the bucket in use: its block stays where it is.
  return storage === 'other' || (switchedOn && !settings.on('announce'))
}

/** The key for this bucket: in Mastodon's settings, or in a block prepared beside them. */
async function findKnownKey(
  { remembered, installation }: SetupContext,
  target: Setup['target'],
  bucket: string,
  endpoint: string,
): Promise<S3Key | undefined> {
  if (remembered.bucket === bucket && remembered.key) return remembered.key
  if (target.kind === 'print' || !target.file.exists) return undefined
  const { railsSettings } = await import('../services/mastodon/env-read.ts')
  const settings = railsSettings(new Map(), [target.file])
  const prepared = remember({ ...installation, settings }, endpoint)
  return prepared.bucket === bucket ? prepared.key : undefined
}
