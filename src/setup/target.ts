import { jurisdictionNamed } from '../core/jurisdictions.ts'
import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import {
  isNowhere,
  nowhere,
  preparedPath,
  type Remembered,
  remember,
  thirdStorage,
} from '../flow/mastodon-here.ts'
import type { Place } from '../plan/step.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import type { S3Key } from '../services/s3/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import type { Settings } from '../settings/resolve.ts'
import { bucketPlace } from './s3-place.ts'

/** The setup on R2 that media is migrated to. */
export interface MigrationTarget {
  /** Undefined with an S3 endpoint of one's own, which does not tell it. */
  readonly accountId: string | undefined
  readonly jurisdiction: string
  readonly bucket: string
  readonly mediaHost: string
  readonly endpoint: string
  readonly key: S3Key
  /** The values stand in `.env.production.r2`, beside those of the storage in use. */
  readonly aside: EnvFileOnDisk | undefined
}

/** What a run was told. */
type Told = Pick<Settings<SetupCatalog>, 'get'>

interface Moving {
  readonly from: 'local' | 's3' | undefined
  /** Whether a migration to there was begun. */
  readonly hasBegun: (to: MigrationTarget) => Promise<boolean>
}

/**
 * Where `migrate` copies to. A server that is on R2 already moves on to another bucket when it is
 * told once that its media comes `--from s3`: what was prepared beside the env file may be of an
 * older move.
 */
export async function findMigrationTarget(
  installation: Installation,
  settings: Told,
  { from, hasBegun }: Moving,
): Promise<MigrationTarget> {
  const ownEndpoint = settings.get('s3EndpointUrl')
  const found = await findTarget(installation, settings)
  const { switchedOn } = remember(installation, ownEndpoint)
  if (found.aside !== undefined || !switchedOn || from === 'local') return found
  const next = await findAside(installation, ownEndpoint)
  if (next === undefined) return found
  if (next.bucket === found.bucket && next.endpoint === found.endpoint) return found
  return from === 's3' || (await hasBegun(next)) ? next : found
}

/**
 * Bucket, media host and key that `init` prepared: in Mastodon's env file, or in the file beside it
 * while another provider is in use. Problem `nothing-prepared` when they are in neither.
 */
export async function findTarget(
  installation: Installation,
  settings: Told,
): Promise<MigrationTarget> {
  const ownEndpoint = settings.get('s3EndpointUrl')
  const here = complete(installation, remember(installation, ownEndpoint), ownEndpoint)
  if (here) return { ...here, aside: undefined }
  const aside = await findAside(installation, ownEndpoint)
  if (aside) return aside
  const { kind, envFile } = installation
  if (kind !== 'none' || envFile.exists) throw nothingPrepared(installation)
  throw isNowhere(installation, settings) ? nowhere() : notThere(envFile)
}

/** The setup on R2 that Mastodon uses; undefined where its settings name another storage, or not all of it. */
export function targetInUse(
  installation: Pick<Installation, 'settings' | 'envFile'>,
  ownEndpoint: string | undefined,
): MigrationTarget | undefined {
  const remembered = remember(installation, ownEndpoint)
  const found = remembered.switchedOn ? complete(installation, remembered, ownEndpoint) : undefined
  return found && { ...found, aside: undefined }
}

/**
 * The setup on R2 that Mastodon used before the storage that it uses now, as the newest backup of its
 * env file tells that has another storage in use; undefined where that was not R2, or none has.
 */
export async function findTargetBefore(
  installation: Installation,
  ownEndpoint: string | undefined,
): Promise<MigrationTarget | undefined> {
  const { envReader, railsSettings, readEnvFile } = await import('../services/mastodon/env-read.ts')
  const { envFile, envFiles, settings } = installation
  const isNow = (then: Installation['settings']) => storageMark(then) === storageMark(settings)
  for (const { path } of await envReader.backups(envFile)) {
    const backup = await readEnvFile(path)
    const others = envFiles.some(({ realPath }) => realPath === envFile.realPath)
      ? envFiles.map((file) => (file.realPath === envFile.realPath ? backup : file))
      : [backup]
    const then = { envFile, settings: railsSettings(new Map(), others) }
    if (!isNow(then.settings)) return targetInUse(then, ownEndpoint)
  }
  return undefined
}

/** What Mastodon stores its media in with these settings: `BUCKET at HOST`, another service, or `its own disk`. */
export function storageName(settings: Installation['settings']): string {
  const third = thirdStorage({ settings })
  if (third) return [third.name, third.place].filter((part) => part !== '').join(', ')
  if (settings.get('S3_ENABLED')?.value !== 'true') return 'its own disk'
  const { bucket, endpoint } = s3Place(settings)
  // What is no address may hold a secret.
  return endpoint === undefined ? bucket : `${bucket} at ${new URL(endpoint).host}`
}

function storageMark(settings: Installation['settings']): string {
  const { bucket, endpoint } = s3Place(settings)
  const isOn = settings.get('S3_ENABLED')?.value === 'true'
  return isOn ? `${bucket} at ${endpoint}` : storageName(settings)
}

/** As Mastodon reads it: without an endpoint it is AWS, by the region. Undefined where it is no address. */
export function s3Place(settings: ReadonlyMap<string, { readonly value: string }>) {
  const of = (name: string) => settings.get(name)?.value.trim() ?? ''
  const found = bucketPlace(of)
  return { bucket: of('S3_BUCKET'), endpoint: 'kind' in found ? found.endpoint : undefined }
}

async function findAside(
  installation: Installation,
  ownEndpoint: string | undefined,
): Promise<MigrationTarget | undefined> {
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  const { railsSettings } = await import('../services/mastodon/env-read.ts')
  const aside = await readEnvFile(preparedPath(installation.envFile))
  if (!aside.exists) return undefined
  const read = { ...installation, settings: railsSettings(new Map(), [aside]) }
  const there = complete(read, remember(read, ownEndpoint), ownEndpoint)
  return there && { ...there, aside }
}

function complete(
  { settings }: Pick<Installation, 'settings'>,
  { storage, bucket, mediaHost, key, accountId, jurisdiction }: Remembered,
  ownEndpoint: string | undefined,
): Omit<MigrationTarget, 'aside'> | undefined {
  const endpoint = settings.get('S3_ENDPOINT')?.value.replace(/\/+$/, '') ?? ownEndpoint
  if (storage !== 'r2' || bucket === undefined || mediaHost === undefined || !key) return undefined
  if (endpoint === undefined) return undefined
  return {
    accountId,
    jurisdiction: jurisdiction ?? 'default',
    bucket,
    mediaHost,
    endpoint: ownEndpoint ?? endpoint,
    key,
  }
}

function notThere({ path }: EnvFileOnDisk): Problem {
  return new Problem({
    code: 'env-file-not-there',
    what: `${path} does not exist.`,
    why: 'It was named as the env file that Mastodon uses, and no Mastodon was found beside it.',
    next: "Name the file that is there with --mastodon-env, or Mastodon's folder with --mastodon-dir.",
    exit: 2,
  })
}

function nothingPrepared({ envFile }: Installation): Problem {
  return new Problem({
    code: 'nothing-prepared',
    what: 'There is no bucket yet that the media could go to.',
    why: `Neither ${envFile.path} nor ${preparedPath(envFile)} holds a setup on R2.`,
    next: prose`Prepare it first; Mastodon goes on as it is meanwhile:\n  ${toType('init', { existingMedia: 'prepare' })}`,
    exit: 2,
  })
}

/** The place that the env file tells of, for commands that only use what is set up. */
export function targetPlace(installation: Installation, target: MigrationTarget): Place {
  const { bucket, mediaHost, endpoint, key } = target
  return {
    at: { bucket, jurisdiction: jurisdictionNamed(target.jurisdiction) },
    mediaHost,
    s3Endpoint: endpoint,
    installation,
    knownKey: key,
    corsOrigins: ['*'],
    waitKeyMs: 0,
  }
}
