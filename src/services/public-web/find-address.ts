import { Resolver, lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { Problem } from '../../core/problem.ts'

/** Names to addresses; each may throw, with ENOTFOUND or ENODATA when there is none. */
export interface NameResolver {
  /** As this machine sees it. */
  local(host: string): Promise<string[]>
  /** As the public sees it, past a local cache that remembers a "no". */
  public(host: string): Promise<string[]>
}

const NOT_THERE = new Set(['ENOTFOUND', 'ENODATA', 'NXDOMAIN', 'EAI_NODATA', 'EAI_NONAME'])
const PUBLIC_SERVERS = ['1.1.1.1', '8.8.8.8']

/**
 * Addresses of a host: those of this machine's resolver, else of the public ones. Throws Problem
 * `web-dns`.
 */
export async function findAddresses(host: string, resolver: NameResolver): Promise<string[]> {
  if (isIP(host)) return [host]
  const faults: string[] = []
  for (const ask of [resolver.local, resolver.public]) {
    try {
      const addresses = await ask(host)
      if (addresses.length > 0) return addresses
    } catch (error) {
      faults.push((error as NodeJS.ErrnoException).code ?? 'unknown')
    }
  }
  throw noAddress(host, faults)
}

export function createResolver(timeoutMs: number): NameResolver {
  return {
    async local(host) {
      return (await systemLookup(host, { all: true })).map(({ address }) => address)
    },
    async public(host) {
      const resolver = new Resolver({ timeout: Math.min(timeoutMs, 3000), tries: 2 })
      resolver.setServers(PUBLIC_SERVERS)
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const addresses = answers.flatMap((answer) =>
        answer.status === 'fulfilled' ? answer.value : [],
      )
      const [first] = answers
      if (addresses.length === 0 && first.status === 'rejected') throw first.reason
      return addresses
    },
  }
}

function noAddress(host: string, faults: string[]): Problem {
  const unknown = faults.every((fault) => NOT_THERE.has(fault))
  return new Problem({
    code: 'web-dns',
    what: `The name ${host} leads nowhere.`,
    why: unknown
      ? "Neither this machine's name server nor a public one has an address for it."
      : `The name servers could not be asked (${[...new Set(faults)].join(', ')}).`,
    next: unknown
      ? "A new name takes a few minutes to be known: run this again then. If it stays, look at the domain's DNS in the Cloudflare dashboard."
      : "Check this machine's name server (/etc/resolv.conf) and network, and run this again.",
  })
}
