import { Problem } from '../core/problem.ts'
import { type CloudflarePort, permissionNames, type Zone } from '../services/cloudflare/port.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'
import { inactiveZone } from '../setup/media-domain.ts'
import { canBeRuled } from './old-places.ts'
import type { OldPrefix } from './redirecting.ts'
import type { WebServer } from './web-server.ts'

/** Who redirects a prefix. */
export type Route = { readonly prefix: OldPrefix } & (
  | { readonly by: 'single' | 'bulk'; readonly zone: Zone }
  /** `why`: what keeps Cloudflare from it; undefined when it was asked for. */
  | { readonly by: WebServer; readonly why: string | undefined }
  /** Nobody here: another zone, or the provider's own host. `why` is a sentence without its full stop. */
  | { readonly by: 'kept'; readonly why: string }
)

export interface RouteWish {
  readonly via: 'auto' | 'single' | 'bulk' | WebServer
  readonly prefixes: readonly OldPrefix[]
  readonly instanceHost: string
  readonly web: PublicWebPort
  /** Undefined where no token is given and nobody is asked; `rays`: whether one would be of use. */
  readonly connect: (rays: boolean) => Promise<CloudflarePort | undefined>
}

/** Rules of a zone are few on the Free plan; more prefixes than this go into a list. */
const MOST_SINGLES = 3

/** Looks, and changes nothing. Problems, of an engine that was asked for: those of `zoneFor`. */
export async function chooseRoutes(wish: RouteWish): Promise<readonly Route[]> {
  const { via, instanceHost } = wish
  const others = wish.prefixes.flatMap((prefix) => {
    const why = notForRules(prefix)
    return why === undefined ? [] : [{ prefix, by: 'kept' as const, why }]
  })
  const prefixes = wish.prefixes.filter((prefix) => notForRules(prefix) === undefined)
  if (prefixes.length === 0) return others
  if (via === 'nginx' || via === 'caddy') {
    return [...prefixes.map((prefix) => ({ prefix, by: via, why: undefined })), ...others]
  }
  const hosts = [...new Set(prefixes.map(({ host }) => host))]
  const rays = new Map(
    await Promise.all(hosts.map(async (host) => [host, await hasRay(wish.web, host)] as const)),
  )
  const cloudflare = await wish.connect(via !== 'auto' || [...rays.values()].includes(true))
  const ways = new Map<string, Zone | Problem>()
  for (const host of hosts) {
    const ray = rays.get(host) === true
    ways.set(host, cloudflare ? await zoneFor(cloudflare, host, ray) : noToken(host, ray))
  }
  const wayOf = ({ host }: OldPrefix) => ways.get(host) as Zone | Problem
  const many = prefixes.filter((prefix) => !(wayOf(prefix) instanceof Problem)).length
  const routes = prefixes.map(async (prefix): Promise<Route> => {
    const way = wayOf(prefix)
    // The settings name this host, and nobody asked for a rule there.
    if (way instanceof Problem && isElsewhere(prefix, way)) {
      return { prefix, by: 'kept', why: way.what.replace(/\.$/, '') }
    }
    if (via !== 'auto') {
      if (way instanceof Problem) throw way
      return { prefix, by: via, zone: way }
    }
    if (way instanceof Problem) {
      return { prefix, by: 'nginx', why: explain(way.what, prefix, instanceHost) }
    }
    const ruled = cloudflare && (await allowed(cloudflare, way, many > MOST_SINGLES))
    if (ruled) return { prefix, by: ruled, zone: way }
    return { prefix, by: 'nginx', why: explain(lacking(way), prefix, instanceHost) }
  })
  return [...(await Promise.all(routes)), ...others]
}

/** Why neither Cloudflare nor a web server of the person's can lead it on, whoever is asked. */
function notForRules(prefix: OldPrefix): string | undefined {
  const { host, served } = prefix
  if (served === 'provider') return `${host} is the provider's own host`
  if (served !== undefined && !canBeRuled(prefix)) return 'no rule can be made of that address'
  return undefined
}

/** A host that was named for a bucket, and is not of a zone of this token. */
function isElsewhere({ served }: OldPrefix, { code }: Problem): boolean {
  return served === 'alias' && (code === 'zone-not-seen' || code === 'no-token')
}

/** Cloudflare's edge adds this header to every answer that passes through it. */
async function hasRay(web: PublicWebPort, host: string): Promise<boolean> {
  try {
    return (await web.fetch(`https://${host}/`, { method: 'HEAD' })).header('cf-ray').length > 0
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

/** The zone whose rules see the host's requests, or what is in the way. */
async function zoneFor(
  cloudflare: CloudflarePort,
  host: string,
  ray: boolean,
): Promise<Zone | Problem> {
  const zone = await cloudflare.findZone(host)
  if (!zone) {
    return inTheWay({
      code: 'zone-not-seen',
      what: `The API token sees no zone of ${host}.`,
      next: `Give it "${permissionNames.zone}" for that zone; if the domain is not at Cloudflare, use --via nginx.`,
    })
  }
  if (zone.paused || zone.status !== 'active') {
    return inactiveZone(zone, 'Or use --via nginx.')
  }
  const records = await cloudflare.listDnsRecords(zone.id, host).catch((error) => {
    if (error instanceof Problem) return []
    throw error
  })
  const isProxied = records.length > 0 ? records.some(({ proxied }) => proxied) : ray
  if (isProxied) return zone
  return inTheWay({
    code: 'host-not-proxied',
    what: `${host} does not pass through Cloudflare (its DNS record has no orange cloud).`,
    next: 'Switch the orange cloud of its record on, or use --via nginx.',
  })
}

/** Which of both kinds the token may make; undefined for neither. */
async function allowed(
  cloudflare: CloudflarePort,
  zone: Zone,
  many: boolean,
): Promise<'single' | 'bulk' | undefined> {
  const scope = { accountId: zone.account.id, zoneId: zone.id }
  const single = await cloudflare.can('single-redirects', scope)
  if (single && !many) return 'single'
  const lists = await cloudflare.can('redirect-lists', scope)
  if (lists && (await cloudflare.can('bulk-redirects', scope))) return 'bulk'
  return single ? 'single' : undefined
}

function lacking({ name }: Zone): string {
  const permission = permissionNames['single-redirects']
  return `the API token lacks "${permission}" for ${name}; with it Cloudflare would do this`
}

function noToken(host: string, ray: boolean): Problem {
  const what = ray
    ? `${host} passes through Cloudflare, and no API token was given with which a rule could be made there.`
    : `${host} does not pass through Cloudflare (no cf-ray in its answers).`
  return inTheWay({
    code: 'no-token',
    what,
    next: 'Give a token (CLOUDFLARE_API_TOKEN), or use --via nginx.',
  })
}

function inTheWay(details: Pick<Problem, 'code' | 'what' | 'next'>): Problem {
  const why = 'A redirect at Cloudflare is a rule of the zone, and sees what passes through it.'
  return new Problem({ ...details, why, exit: 2 })
}

function explain(why: string, { host }: OldPrefix, instanceHost: string): string {
  const reason = why.replace(/\.$/, '')
  if (host === instanceHost) return reason
  return `${reason}; keep that host alive, or redirect it there: the block is for its web server, if that is yours (the address of a provider can't be redirected)`
}
