import { Secret } from '../core/secret.ts'
import type { BucketPlace } from '../services/rclone/port.ts'
import { rcloneProvider, sourceService } from '../services/s3/service.ts'

/** A setting of Mastodon by its name, without blanks around it; empty where there is none. */
export type Of = (name: string) => string

/** A setting that leads to no bucket. Its value may hold a secret, and is never told. */
export interface BadSetting {
  readonly name: string
  /** A sentence without its full stop. */
  readonly why: string
}

const NEEDED = ['S3_BUCKET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

/** Without these no bucket is opened, and nobody is asked for them. */
export function missingOf(of: Of): string[] {
  return NEEDED.filter((name) => of(name) === '')
}

/**
 * The bucket of an S3 provider that Mastodon's settings name, read as Mastodon does (its
 * config/initializers/paperclip.rb); or what is wrong with one of them.
 */
export function bucketPlace(of: Of): BucketPlace | BadSetting {
  const region = of('S3_REGION') || regionIn(of('S3_HOSTNAME')) || 'us-east-1'
  const named = of('S3_ENDPOINT')
  const why = named === '' ? faultOfRegion(region) : faultOfEndpoint(named)
  if (why !== undefined) return { name: named === '' ? 'S3_REGION' : 'S3_ENDPOINT', why }
  const endpoint = named === '' ? awsEndpoint(region) : named.replace(/\/+$/, '')
  const isVirtual = named !== '' && of('S3_OVERRIDE_PATH_STYLE') === 'true'
  return {
    kind: 'bucket',
    endpoint,
    bucket: of('S3_BUCKET'),
    region,
    key: {
      accessKeyId: of('AWS_ACCESS_KEY_ID'),
      secretAccessKey: new Secret(of('AWS_SECRET_ACCESS_KEY')),
    },
    provider: rcloneProvider(endpoint),
    service: sourceService(endpoint).name,
    ...(isVirtual ? { virtualHost: true } : {}),
  }
}

function awsEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

/** AWS's own names hold the region: `s3-eu-west-1.amazonaws.com`, `s3.eu-west-1.amazonaws.com`. */
function regionIn(host: string): string | undefined {
  return /(?:^|\.)s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com/.exec(host)?.[1]
}

/** It becomes a part of AWS's address. */
function faultOfRegion(region: string): string | undefined {
  const isWord = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i.test(region)
  return isWord ? undefined : 'It is the name of a region, such as eu-central-1'
}

function faultOfEndpoint(text: string): string | undefined {
  if (text.includes('@')) {
    return 'A name or a secret before an @ does not belong into an address; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold the key'
  }
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    return 'It has to begin with https:// (or http://) and the name of the server'
  }
  // What follows would be dropped, or sent with each request: it may be a signature.
  return /[?#\s\\]/.test(text) ? 'It is an address without ?, # and blanks' : undefined
}

/** What is wrong with a host that addresses of media are made of: as it is, behind `https://`. */
export function faultOfHost(text: string): string | undefined {
  if (/^[a-z]*:?\/\//i.test(text)) return 'It is the bare host, without https:// before it'
  if (text.endsWith('/')) return 'With a slash at its end every address would have two of them'
  const isHost = /^[\w.-]+(:\d+)?(\/[\w.~-]+)*$/.test(text) && URL.canParse(`https://${text}`)
  return isHost ? undefined : 'It is a host, perhaps with a port and a path, and nothing else'
}
