import { Problem } from '../core/problem.ts'
import type { World } from '../plan/step.ts'
import type { CustomDomain, DnsRecord } from '../services/cloudflare/port.ts'

/** Who signs Cloudflare's certificates (Cloudflare docs, ssl/edge-certificates/caa-records). */
const AUTHORITIES = ['letsencrypt.org', 'pki.goog', 'ssl.com', 'sectigo.com']

/** States that nothing but a person ends (Cloudflare API, R2 custom domain: status). */
export function hasFailed({ ownership, ssl }: CustomDomain): boolean {
  return [ownership, ssl].some((state) => state === 'error' || state === 'deactivated')
}

/** Problem `media-domain-failed`: what Cloudflare gave up on, and whether a CAA record is why. */
export async function domainFailed(
  { cloudflare, setup }: Pick<World, 'cloudflare' | 'setup'>,
  { ownership, ssl }: CustomDomain,
): Promise<Problem> {
  const { mediaHost, zone } = setup
  const records = await caaRecords(mediaHost, zone.name, (name) =>
    cloudflare.listDnsRecords(zone.id, name),
  )
  const forbidding = forbiddenBy(records)
  const state = `Its ownership is "${ownership}", its certificate "${ssl}"; that does not pass by itself.`
  const retry = `open the bucket's settings at https://dash.cloudflare.com/?to=/:account/r2, and at Custom Domains choose "Retry connection" for ${mediaHost}. Then run the same command again: it goes on from here.`
  return new Problem({
    code: 'media-domain-failed',
    what: `Cloudflare has given up on serving the bucket at ${mediaHost}.`,
    why:
      forbidding === undefined
        ? `${state} ${records.length === 0 ? 'No CAA record of the zone stands in the way' : 'The CAA records of the zone let Cloudflare in'}, so the reason is elsewhere.`
        : `${state} The CAA records at ${forbidding.name} let other authorities alone make certificates: ${forbidding.who}.`,
    next:
      forbidding === undefined
        ? `Look whether ${zone.name} is active and has no hold; then ${retry}`
        : `Add CAA records at ${forbidding.name} for the authorities that Cloudflare uses (0 issue "letsencrypt.org", 0 issue "pki.goog; cansignhttpexchanges=yes", 0 issue "ssl.com"); then ${retry}`,
  })
}

/** Those that count for a host: of the nearest name upwards that has any (RFC 8659, section 3). */
async function caaRecords(
  host: string,
  zone: string,
  list: (name: string) => Promise<DnsRecord[]>,
): Promise<DnsRecord[]> {
  const labels = host.split('.')
  for (let at = 0; at < labels.length; at++) {
    const name = labels.slice(at).join('.')
    const found = (await list(name)).filter(({ type }) => type === 'CAA')
    if (found.length > 0 || name === zone) return found
  }
  return []
}

/** Undefined where there is no `issue`, or one of Cloudflare's authorities has one. */
function forbiddenBy(records: readonly DnsRecord[]): { name: string; who: string } | undefined {
  const [first] = records
  const issuers = records.flatMap(({ content }) => {
    const [, value] = /^\d+\s+issue\s+"?([^";]*)/i.exec(content.trim()) ?? []
    return value === undefined ? [] : [value.trim().toLowerCase()]
  })
  if (first === undefined || issuers.length === 0) return undefined
  if (issuers.some((issuer) => AUTHORITIES.includes(issuer))) return undefined
  return { name: first.name, who: issuers.map((issuer) => issuer || 'nobody').join(', ') }
}
