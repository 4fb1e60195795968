import { Problem } from '../core/problem.ts'
import { readR2Endpoint } from '../flow/storage-block.ts'
import type { SlurperSource } from '../services/cloudflare/slurper-port.ts'
import type { CopyPlace } from '../services/rclone/port.ts'
import { reachableFromOutside } from './reachable-host.ts'

type BucketPlace = Extract<CopyPlace, { kind: 'bucket' }>
type Jurisdiction = Extract<SlurperSource, { vendor: 'r2' }>['jurisdiction']

/**
 * The bucket as Super Slurper takes it, or why it can't: it reads over the internet with https alone, (Cloudflare's API
 * description of jobs).
 */
export function slurperSource(
  { endpoint, bucket, region, key }: BucketPlace,
  about: {
    readonly to: { readonly accountId: string }
    readonly rehearsal: boolean
  },
): SlurperSource | Problem {
  const { protocol, hostname, host } = new URL(endpoint)
  const r2 = readR2Endpoint(endpoint)
  if (r2?.accountId === about.to.accountId) {
    return { vendor: 'r2', bucket, key, jurisdiction: r2.jurisdiction as Jurisdiction }
  }
  if (!about.rehearsal) {
    if (protocol !== 'https:') return needsHttps(endpoint)
    if (!reachableFromOutside(hostname)) return outOfReach(host)
  }
  const isAws = hostname.endsWith('.amazonaws.com')
  return { vendor: 's3', bucket, key, endpoint: isAws ? undefined : endpoint, region }
}

const RCLONE = 'Leave out --engine super-slurper: rclone on this machine copies it.'

function needsHttps(endpoint: string): Problem {
  return new Problem({
    code: 'slurper-needs-https',
    what: 'Super Slurper reads from https:// addresses only.',
    why: `S3_ENDPOINT is ${endpoint}.`,
    next: `${RCLONE} Or, if the server has a certificate, write S3_ENDPOINT with https://.`,
    exit: 2,
  })
}

function outOfReach(host: string): Problem {
  return new Problem({
    code: 'slurper-out-of-reach',
    what: `Cloudflare can't reach ${host}.`,
    why: 'Super Slurper reads over the internet; this name or address is known only in your own network.',
    next: RCLONE,
    exit: 2,
  })
}
