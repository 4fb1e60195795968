import { BlockList, isIP } from 'node:net'

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
