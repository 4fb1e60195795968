import type { Zone as SdkZone } from 'cloudflare/resources/zones/zones'
import { allPages, type Call } from './call.ts'
import type { CloudflarePort, Zone } from './port.ts'

export function zones(
  call: Call,
): Pick<CloudflarePort, 'listZones' | 'findZone' | 'listDnsRecords'> {
  async function zonesNamed(name: string): Promise<Zone[]> {
    const { result } = await call('repeatable', (sdk) => sdk.zones.list({ name, per_page: 50 }))
    return result.map(describe).filter((zone) => zone.name.toLowerCase() === name)
  }

  return {
    async listZones(accountId) {
      const account = accountId === undefined ? {} : { account: { id: accountId } }
      const found = await allPages((page) =>
        call('repeatable', (sdk) => sdk.zones.list({ ...account, page, per_page: 50 })),
      )
      return found.map(describe)
    },

    async findZone(host) {
      const found = await Promise.all(candidates(host.toLowerCase()).map(zonesNamed))
      const longest = found.find(({ length }) => length > 0) ?? []
      return longest.find(({ status }) => status === 'active') ?? longest[0]
    },

    async listDnsRecords(zoneId, name) {
      const query = { zone_id: zoneId, name: { exact: name.toLowerCase() }, per_page: 100 }
      const found = await allPages((page) =>
        call('repeatable', (sdk) => sdk.dns.records.list({ ...query, page })),
      )
      return found.map(({ type, name, content, proxied }) => ({
        type,
        name,
        content: content ?? '',
        proxied: proxied ?? false,
      }))
    },
  }
}

/** The host and every name above it, the longest first; a single label is nobody's zone. */
function candidates(host: string): string[] {
  const labels = host.split('.')
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'))
}

function describe({ id, name, status, type, paused, account }: SdkZone): Zone {
  return {
    id,
    name,
    status: status ?? 'unknown',
    type: type ?? 'full',
    paused: paused ?? false,
    account: { id: account.id ?? '', name: account.name ?? '' },
  }
}
