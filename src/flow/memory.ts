import { Secret } from '../core/secret.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { S3Key } from '../services/s3/port.ts'
import { readR2Endpoint } from './storage-block.ts'

/** What Mastodon's env files tell about its storage. */
export interface Remembered {
  /** `r2`: our kind of setup is there; `other`: another S3 provider is in use; `none`. */
  readonly storage: 'r2' | 'other' | 'none'
  readonly switchedOn: boolean
  readonly bucket: string | undefined
  readonly mediaHost: string | undefined
  readonly accountId: string | undefined
  readonly jurisdiction: string | undefined
  readonly key: S3Key | undefined
  /** The file that the values stand in, for the source shown beside them. */
  readonly from: string
}

/** The env file is the memory: account, jurisdiction, bucket, key and media host stand in it. */
export function remember(installation: Installation, ownEndpoint?: string): Remembered {
  const read = (name: string) => {
    const value = installation.settings.get(name)?.value ?? ''
    return value === '' || value.includes('{{') ? undefined : value
  }
  const endpoint = read('S3_ENDPOINT')?.replace(/\/+$/, '')
  const place = endpoint === undefined ? undefined : readR2Endpoint(endpoint)
  const isR2 = place !== undefined || (endpoint !== undefined && endpoint === ownEndpoint)
  const switchedOn = read('S3_ENABLED') === 'true'
  const [id, secret] = [read('AWS_ACCESS_KEY_ID'), read('AWS_SECRET_ACCESS_KEY')]
  const wellFormed = /^[0-9a-f]{32}$/.test(id ?? '') && /^[0-9a-f]{64}$/.test(secret ?? '')
  return {
    storage: isR2 ? 'r2' : switchedOn ? 'other' : 'none',
    switchedOn,
    bucket: isR2 ? read('S3_BUCKET') : undefined,
    mediaHost: isR2 ? bareHost(read('S3_ALIAS_HOST')) : undefined,
    accountId: place?.accountId,
    jurisdiction: place?.jurisdiction,
    key:
      isR2 && wellFormed && id !== undefined && secret !== undefined
        ? { accessKeyId: id, secretAccessKey: new Secret(secret) }
        : undefined,
    from: installation.settings.get('S3_ENDPOINT')?.from ?? installation.envFile.path,
  }
}

/** Mastodon takes a path behind the host; a scheme in front is a common mistake. */
function bareHost(alias: string | undefined): string | undefined {
  return alias?.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}
