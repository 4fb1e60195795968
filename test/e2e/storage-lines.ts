import { parse } from 'dotenv'
import { HOST, keysOf, type Stage } from './stage.ts'

export interface Wanted {
  readonly bucket: string
  readonly host?: string
  readonly enabled?: boolean
  readonly jurisdiction?: string
}

/** The nine settings that Mastodon needs, with the one key that the sandbox made for the bucket. */
export function storageLines({ sandbox }: Stage, wanted: Wanted): Record<string, string> {
  const { bucket, host = HOST, enabled = true, jurisdiction = 'default' } = wanted
  const keys = keysOf(sandbox, bucket)
  if (keys.length !== 1) throw new Error(`${keys.length} keys for ${bucket}, not one.`)
  return {
    S3_ENABLED: String(enabled),
    S3_BUCKET: bucket,
    S3_REGION: 'auto',
    S3_ENDPOINT: sandbox.s3Url(jurisdiction),
    S3_PROTOCOL: 'https',
    S3_PERMISSION: '',
    S3_ALIAS_HOST: host,
    AWS_ACCESS_KEY_ID: keys[0]?.id ?? '',
    AWS_SECRET_ACCESS_KEY: keys[0]?.secret ?? '',
  }
}

/** An env file as Mastodon's dotenv reads it. */
export function settingsOf(text: string): Record<string, string> {
  return parse(text)
}
