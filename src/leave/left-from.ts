import { Problem } from '../core/problem.ts'
import { prose, type Text, type ToType, toType } from '../core/to-type.ts'
import { remember, thirdStorage } from '../flow/mastodon-here.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { isSameBucket, type NewProvider } from '../setup/new-provider.ts'
import {
  findTargetBefore,
  type MigrationTarget,
  s3Place,
  storageName,
  targetInUse,
} from '../setup/target.ts'

/** The bucket on R2 that the media leaves. */
export interface Left {
  readonly target: MigrationTarget
  /** Mastodon's settings name the destination already. */
  readonly isSwitched: boolean
}

export interface Asked {
  readonly ownEndpoint: string | undefined
  /** What was typed. */
  readonly line: ToType
}

/**
 * The bucket on R2 that Mastodon uses, or used until this way out led from it: never one that lies
 * prepared. Problems: `not-on-r2`, `r2-lines-missing`, `left-bucket-unknown`.
 */
export async function leftFrom(
  asked: Asked,
  installation: Installation,
  provider: NewProvider | undefined,
): Promise<Left> {
  const { ownEndpoint } = asked
  const { storage, switchedOn } = remember(installation, ownEndpoint)
  if (storage === 'r2' && switchedOn) {
    const target = targetInUse(installation, ownEndpoint)
    if (target === undefined) throw linesMissing(installation)
    return { target, isSwitched: false }
  }
  const before = await findTargetBefore(installation, ownEndpoint)
  if (provider) {
    const isThere = switchedOn && isSameBucket(provider, s3Place(installation.settings))
    if (!isThere) throw notOnR2(asked, installation, before)
    if (before === undefined) throw leftUnknown(installation)
    return { target: before, isSwitched: true }
  }
  const isOnDisk = !switchedOn && thirdStorage(installation) === undefined
  const target = isOnDisk && before ? sameTarget(asked, installation, before) : undefined
  if (target === undefined) throw notOnR2(asked, installation, before)
  return { target, isSwitched: true }
}

/** After the switch to the disk the lines of R2 stay, switched off; they hold the key of today. */
function sameTarget(
  { ownEndpoint }: Asked,
  { envFile, settings }: Installation,
  before: MigrationTarget,
): MigrationTarget | undefined {
  const on = new Map([...settings, ['S3_ENABLED', { value: 'true', from: envFile.path }] as const])
  const now = targetInUse({ envFile, settings: on }, ownEndpoint)
  const isSame = now?.bucket === before.bucket && now.endpoint === before.endpoint
  return isSame ? now : undefined
}

function notOnR2(
  asked: Asked,
  installation: Installation,
  before: MigrationTarget | undefined,
): Problem {
  const { envFile, settings } = installation
  const prepared = remember(installation, asked.ownEndpoint).storage === 'r2'
  const lies = prepared
    ? ` The bucket ${settings.get('S3_BUCKET')?.value ?? ''} on R2 that it names lies prepared: no backup beside that file shows that Mastodon used it last.`
    : ''
  return new Problem({
    code: 'not-on-r2',
    what: 'Mastodon does not store its media on R2.',
    why: `It uses ${storageName(settings)}, as ${envFile.path} tells.${lies}`,
    next: nextOf(asked, installation, before),
    exit: 2,
  })
}

/** This way out may have led to where Mastodon is, and its flags are missing. */
function nextOf(
  { line, ownEndpoint }: Asked,
  installation: Installation,
  before: MigrationTarget | undefined,
): Text {
  const { storage, switchedOn } = remember(installation, ownEndpoint)
  const toS3 = line.flags.to === 's3'
  if (before && switchedOn) {
    const there = toS3 ? 'with the file of the provider that is in use' : 'with its flags'
    const { mediaDir: _, ...flags } = line.flags
    const again = toType('leave', { ...flags, to: 's3', toEnv: 'PATH' })
    return prose`It was on R2 before. If this way out led from there, go on ${there}:\n  ${again}`
  }
  if (before && toS3 && storage === 'r2') {
    const { to: _, toEnv: __, ...flags } = line.flags
    const again = toType('leave', flags)
    return prose`It was on R2 before. If this way out led to the disk, go on there:\n  ${again}`
  }
  const inUse =
    storage === 'r2'
      ? 'If Mastodon does use that bucket, set S3_ENABLED=true there, restart Mastodon, and run this again. '
      : ''
  return prose`${inUse}See what is set up: ${toType('check')}`
}

function linesMissing({ envFile, settings }: Installation): Problem {
  const wanted: readonly [string, RegExp][] = [
    ['S3_BUCKET', /./],
    ['S3_ALIAS_HOST', /./],
    ['AWS_ACCESS_KEY_ID', /^[0-9a-f]{32}$/],
    ['AWS_SECRET_ACCESS_KEY', /^[0-9a-f]{64}$/],
  ]
  const missing = wanted.filter(([name, form]) => !form.test(settings.get(name)?.value ?? ''))
  return new Problem({
    code: 'r2-lines-missing',
    what: 'Mastodon is on R2, and its settings do not tell all of the bucket.',
    why: `Missing, or not as R2 has it: ${missing.map(([name]) => name).join(', ')} (${envFile.path}).`,
    next: prose`See what is wrong with them: ${toType('check')}`,
    exit: 2,
  })
}

function leftUnknown({ envFile }: Installation): Problem {
  return new Problem({
    code: 'left-bucket-unknown',
    what: 'Mastodon uses that provider already, and it is not known which bucket on R2 it left.',
    why: `No backup beside ${envFile.path} shows that a bucket on R2 was in use just before.`,
    next: 'Put such a backup beside it again, or copy with rclone.',
    exit: 2,
  })
}
