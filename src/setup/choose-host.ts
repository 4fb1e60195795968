import { Problem } from '../core/problem.ts'
import type { CloudflarePort, Zone } from '../services/cloudflare/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Ui } from '../ui/port.ts'

const OTHER = 'another'

/** The media host and its zone; asked for with suggestions when nothing gave it. */
export async function chooseHost(options: {
  readonly settings: Settings<Pick<SetupCatalog, 'mediaHost' | 'accountId'>>
  readonly ui: Ui
  readonly cloudflare: CloudflarePort
  readonly installation: Installation
  /** Of no interest to a host that was given and has a zone. */
  readonly account: Promise<string>
}): Promise<{ mediaHost: string; zone: Zone }> {
  const { settings, ui, cloudflare, installation, account } = options
  const given = settings.get('mediaHost')
  if (given !== undefined) {
    const fault = ownHost(given, installation)
    if (fault !== undefined) throw refused(given, fault)
    const zone = await cloudflare.findZone(given)
    if (!zone) throw noZone(await cloudflare.listZones(await account), given)
    return { mediaHost: given, zone }
  }
  const zones = await cloudflare.listZones(await account)
  if (zones.length === 0) throw noZone([])
  const mediaHost = await ask(settings, ui, zones, installation)
  const zone = zoneOf(mediaHost, zones) as Zone
  return { mediaHost, zone }
}

async function ask(
  settings: Settings<Pick<SetupCatalog, 'mediaHost'>>,
  ui: Ui,
  zones: readonly Zone[],
  installation: Installation,
): Promise<string> {
  const fault = (typed: string) => {
    const host = settings.fault('mediaHost', typed)
    if (host !== undefined) return host
    const bare = typed.trim().toLowerCase()
    if (bare.includes('/') || bare.includes(':')) return undefined
    const found = ownHost(bare, installation) ?? zoneFault(bare, zones)
    return found === undefined ? undefined : `${bare} ${found}`
  }
  const suggestions = suggest(installation, zones)
  let typed: string = OTHER
  if (suggestions.length > 0) {
    typed = await ui.choose({
      message: 'Which hostname should serve the media?',
      options: [
        ...suggestions.map((host) => ({ value: host, label: host })),
        { value: OTHER, label: 'another one ...' },
      ],
    })
  }
  if (typed === OTHER) {
    const names = zones.map(({ name }) => name).join(', ')
    typed = await ui.ask({
      message: 'Hostname for media',
      hint: `In one of your domains at Cloudflare: ${names}`,
      fault,
    })
  }
  settings.offer('mediaHost', typed, 'you')
  const host = settings.get('mediaHost') as string
  const problem = ownHost(host, installation) ?? zoneFault(host, zones)
  if (problem !== undefined) throw refused(host, problem)
  return host
}

/** `files.` in the zone of the instance first, then in the account's other zones; at most five. */
export function suggest(installation: Installation, zones: readonly Zone[]): string[] {
  const domain = installation.webDomain ?? installation.localDomain
  const active = zones.filter(({ status }) => status === 'active')
  const own = domain === undefined ? undefined : zoneOf(domain, active)
  const ordered = own ? [own, ...active.filter((zone) => zone !== own)] : active
  const hosts = ordered.flatMap(({ name }, index) =>
    index === 0 && own ? [`files.${name}`, `media.${name}`] : [`files.${name}`],
  )
  return hosts.filter((host) => ownHost(host, installation) === undefined).slice(0, 5)
}

function ownHost(host: string, { localDomain, webDomain }: Installation): string | undefined {
  if (host !== localDomain && host !== webDomain) return undefined
  return `is the hostname of Mastodon itself; media needs one of its own, such as files.${host}`
}

function zoneOf(host: string, zones: readonly Zone[]): Zone | undefined {
  const fitting = zones.filter(({ name }) => host === name || host.endsWith(`.${name}`))
  return fitting.sort((a, b) => b.name.length - a.name.length)[0]
}

function zoneFault(host: string, zones: readonly Zone[]): string | undefined {
  if (zoneOf(host, zones)) return undefined
  return `is in none of your domains at Cloudflare (${zones.map(({ name }) => name).join(', ')})`
}

function refused(host: string, fault: string): Problem {
  return new Problem({
    code: 'media-host-refused',
    what: `The media host ${host} ${fault}.`,
    why: 'Media and Mastodon answer at different places, so each needs a name.',
    next: 'Choose another --media-host.',
    exit: 2,
  })
}

function noZone(zones: readonly Zone[], host?: string): Problem {
  const names = zones.map(({ name }) => name).join(', ')
  const words =
    host === undefined || zones.length === 0
      ? {
          what: 'The token sees no domain.',
          why: 'Media is served from a host name in a domain that this Cloudflare account holds.',
          next: 'Add the domain to Cloudflare, or give the token "Zone: Read" for it, and run this again.',
        }
      : {
          what: `No domain at Cloudflare fits ${host}.`,
          why: `The token sees these domains: ${names}. The media host must be in one of the same account.`,
          next: 'Choose a --media-host in one of them, add the domain to Cloudflare, or let the token see it.',
        }
  return new Problem({ code: 'zone-not-found', ...words, exit: 2 })
}
