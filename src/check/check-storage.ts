import { type Remembered, remember } from '../flow/memory.ts'
import type { ConfiguredStorage } from '../plan/verdict.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { Settings } from '../settings/resolve.ts'
import type { CheckCatalog } from './settings.ts'

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
  const bucket = settings.get('bucket') ?? read('S3_BUCKET')
  const alias = bareHost(read('S3_ALIAS_HOST') || read('S3_CLOUDFRONT_HOST'))
  const isHost = alias !== '' && settings.fault('mediaHost', alias) === undefined
  return {
    remembered,
    storage: {
      enabled: read('S3_ENABLED') === 'true',
      isR2: remembered.storage === 'r2',
      endpoint,
      bucket: /^[A-Za-z0-9._-]+$/.test(bucket) ? bucket : undefined,
      mediaHost: settings.get('mediaHost') ?? (isHost ? alias : undefined),
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
