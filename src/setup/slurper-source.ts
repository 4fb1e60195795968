import { BlockList, isIP } from 'node:net'
import { Problem } from '../core/problem.ts'
import { readR2Endpoint } from '../flow/mastodon-here.ts'
import type { SlurperSource } from '../services/cloudflare/port.ts'
import type { BucketPlace } from '../services/rclone/port.ts'

/** Networks that nobody reaches from elsewhere (RFC 1918, 3927, 4193, 4291, 6598). */
const privateNetworks = new BlockList()
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  privateNetworks.addSubnet(address, bits, 'ipv4')
}
privateNetworks.addAddress('::1', 'ipv6')
privateNetworks.addSubnet('fc00::', 7, 'ipv6')
privateNetworks.addSubnet('fe80::', 10, 'ipv6')

/** Names that only a local network or machine knows (RFC 6761, 6762, 8375, ICANN's `internal`). */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|lan|home|test|invalid|home\.arpa)$/

/** Whether a server of this name or address could be reached over the internet; asks nobody. */
export function reachableFromOutside(host: string): boolean {
  const bare = host.replace(/^\[|\]$|\.$/g, '').toLowerCase()
  const version = isIP(bare)
  if (version !== 0) return !privateNetworks.check(bare, version === 4 ? 'ipv4' : 'ipv6')
  return bare.includes('.') && !LOCAL_NAME.test(bare)
}

type Jurisdiction = Extract<SlurperSource, { vendor: 'r2' }>['jurisdiction']

/**
 * The bucket as Super Slurper takes it, or why it can't: it reads over the internet with https alone, (Cloudflare's API
 * description of jobs).
 */
export function slurperSource(
  { endpoint, bucket, region, key }: BucketPlace,
  about: {
    readonly to: { readonly accountId: string | undefined }
    readonly rehearsal: boolean
  },
): SlurperSource | Problem {
  const { protocol, hostname, host } = new URL(endpoint)
  const r2 = readR2Endpoint(endpoint)
  if (r2 && r2.accountId === about.to.accountId) {
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
