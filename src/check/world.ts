import { announcementNotes, type HostToCome } from '../announce/notes.ts'
import { Problem } from '../core/problem.ts'
import { proxiesOf } from '../core/proxy.ts'
import { prose, toType } from '../core/to-type.ts'
import {
  findMastodonHere,
  isNowhere,
  nowhere,
  type Remembered,
  remember,
} from '../flow/mastodon-here.ts'
import type { Run } from '../flow/run.ts'
import { callListener, lazyWeb, processesOf, wayOutOf } from '../flow/world.ts'
import type { Announced, CheckWorld, ConfiguredStorage } from '../plan/verdict.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { Settings } from '../settings/resolve.ts'
import { findTarget } from '../setup/target.ts'
import type { CheckCatalog } from './settings.ts'

/** Media hosts whose announcement was noted, and that are not in use yet. */
async function announcedHosts(
  run: Run<CheckCatalog>,
  installation: Installation,
): Promise<readonly Announced[]> {
  try {
    const ownEndpoint = run.settings.get('s3EndpointUrl')
    const target = await findTarget(installation, run.settings)
    const { storage, switchedOn } = remember(installation, ownEndpoint)
    const isOn = storage === 'r2' && switchedOn
    const extra = extraHosts(installation).filter((host) => host !== target.mediaHost)
    const hosts = isOn ? extra : [target.mediaHost]
    const found = hosts.map((mediaHost) => noted(run, installation, { ...target, mediaHost }, isOn))
    return (await Promise.all(found)).flat()
  } catch (error) {
    // Notes that can't be read, or no setup at all: there is nothing to tell.
    if (error instanceof Problem) return []
    throw error
  }
}

async function noted(
  run: Run<CheckCatalog>,
  installation: Installation,
  to: HostToCome,
  switchedOn: boolean,
): Promise<Announced[]> {
  const notes = await announcementNotes(run, installation, to, { switchedOn })
  const at = (await notes.read())?.announcedAt
  const { mediaHost } = to
  const switchWith = switchedOn ? toType('init', { mediaHost }) : toType('migrate')
  return at === undefined ? [] : [{ mediaHost, at, switchWith }]
}

function extraHosts({ settings }: Installation): string[] {
  return (settings.get('EXTRA_MEDIA_HOSTS')?.value ?? '')
    .split(/[,\s]+/)
    .flatMap((entry) => (URL.canParse(entry) ? [new URL(entry).host] : []))
}

/** Milliseconds for a request that carries nothing; Mastodon itself gives up after 5 s. */
const HASTY_MS = 8_000

/** Connections for the checks; none of them is opened yet. */
export async function checkWorld(
  run: Run<CheckCatalog>,
  installation: Installation,
  storage: ConfiguredStorage,
): Promise<CheckWorld> {
  const { host, clock } = run
  const onCall = callListener(run)
  const { connectS3 } = await import('../services/s3/client.ts')
  const { envReader } = await import('../services/mastodon/env-read.ts')
  const wayOut = await wayOutOf(host)
  const { endpoint: ownEndpoint = '' } = storage
  const connect = (endpoint: string, timeoutMs?: number): CheckWorld['connectS3'] => {
    const options = { endpoint, bucket: storage.bucket ?? '', timeoutMs, onCall, wayOut }
    return (key) => connectS3({ ...options, key })
  }
  return {
    installation,
    storage,
    connectS3: connect(ownEndpoint),
    connectS3At: (endpoint) => connect(endpoint, HASTY_MS),
    web: lazyWeb(run, undefined),
    processes: processesOf(host, installation),
    envReader,
    behindProxy: proxyTo(ownEndpoint, host.environment),
    clock,
    announced: () => announcedHosts(run, installation),
  }
}

function proxyTo(
  address: string,
  environment: Run<CheckCatalog>['host']['environment'],
): string | undefined {
  if (!URL.canParse(address)) return undefined
  return proxiesOf(environment)?.(new URL(address))?.name
}

/** Mastodon on this machine. Problems: `mastodon-not-found`; `nothing-to-check` where no settings are. */
export async function findInstallation(run: Run<CheckCatalog>): Promise<Installation> {
  const installation = await findMastodonHere(run)
  if (installation.envFile.exists || installation.settings.size > 0) return installation
  if (isNowhere(installation, run.settings)) throw nowhere()
  throw new Problem({
    code: 'nothing-to-check',
    what: `There are no settings of Mastodon here: ${installation.envFile.path} does not exist.`,
    why: 'What is checked is what Mastodon uses, and that stands in its env file.',
    next: prose`Name the file with --mastodon-env, or run this in Mastodon's folder. Nothing set up yet: ${toType('init')}`,
    exit: 2,
  })
}

export interface StorageFound {
  readonly storage: ConfiguredStorage
  readonly remembered: Remembered
}

/**
 * The storage as Mastodon's settings have it; --media-host, --bucket and --account-id overrule them.
 * --s3-endpoint-url only says which other host counts as R2. What it finds is offered to `settings`.
 */
export function findStorage(
  settings: Settings<CheckCatalog>,
  installation: Installation,
): StorageFound {
  const read = (name: string) => installation.settings.get(name)?.value ?? ''
  const written = read('S3_ENDPOINT').replace(/\/+$/, '')
  const own = settings.get('s3EndpointUrl')
  const endpoint = isWebAddress(written) ? written : undefined
  const isOwn = own !== undefined && endpoint !== undefined && originOf(own) === originOf(endpoint)
  const remembered = remember(installation, isOwn ? endpoint : own)
  offer(settings, remembered)
  // Of a run that was given it: what an earlier look has found may have changed.
  const given = (name: 'bucket' | 'mediaHost') =>
    settings.isGiven(name) ? settings.get(name) : undefined
  const bucket = given('bucket') ?? read('S3_BUCKET')
  const alias = bareHost(read('S3_ALIAS_HOST') || read('S3_CLOUDFRONT_HOST'))
  const isHost = alias !== '' && settings.fault('mediaHost', alias) === undefined
  return {
    remembered,
    storage: {
      enabled: read('S3_ENABLED') === 'true',
      isR2: remembered.storage === 'r2',
      endpoint,
      bucket: /^[A-Za-z0-9._-]+$/.test(bucket) ? bucket : undefined,
      mediaHost: given('mediaHost') ?? (isHost ? alias : undefined),
      key: remembered.key,
      accountId: remembered.accountId ?? settings.get('accountId'),
      jurisdiction: remembered.jurisdiction,
    },
  }
}

/** A wrong line in the env file is no answer; its own check tells of it. */
function offer(settings: Settings<CheckCatalog>, remembered: Remembered): void {
  const { mediaHost, bucket, accountId, jurisdiction, from } = remembered
  const known = { mediaHost, bucket, accountId, jurisdiction }
  for (const [name, value] of Object.entries(known)) {
    const key = name as keyof typeof known
    if (value !== undefined && settings.get(key) === undefined) settings.offer(key, value, from)
  }
  const prepared = remembered.storage === 'r2' && !remembered.switchedOn
  settings.offer('existingMedia', prepared ? 'prepare' : 'switch', from)
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function originOf(address: string): string {
  return new URL(address).origin
}

function bareHost(alias: string): string {
  return alias
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/, '')
    .toLowerCase()
}
