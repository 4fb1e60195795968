import { thirdStorage } from '../flow/mastodon-here.ts'
import type { Place, Setup } from '../plan/step.ts'
import { isAtLeast } from '../services/mastodon/port.ts'
import { mediaAddresses } from './media-addresses.ts'

type Settings = ReadonlyMap<string, { readonly value: string }>

/** EXTRA_MEDIA_HOSTS came with 4.4.0 (mastodon#34184). */
const SINCE = '4.4.0'

/** Whether this Mastodon knows EXTRA_MEDIA_HOSTS; one that tells no version is taken for a new one. */
export function knowsExtraHosts(version: string | undefined): boolean {
  return version === undefined || isAtLeast(version, SINCE)
}

export const EXTRA_HOSTS = 'EXTRA_MEDIA_HOSTS'

/** The host that Mastodon's pages name for media with these settings, where it is another one's. */
export function hostBefore(
  settings: Settings,
  { mediaHost, installation }: Pick<Place, 'mediaHost' | 'installation'>,
): string | undefined {
  const { webDomain, localDomain } = installation
  return otherProvidersHost(settings, { mediaHost, instanceHost: webDomain ?? localDomain })
}

/**
 * The line with which pages go on naming the host of a storage that no migration takes over (Swift,
 * Azure): posts still show media from there. For the others the cut-over and `redirects` see to it.
 */
export function keptHosts(
  setup: Pick<Setup, 'storage' | 'mediaHost' | 'installation'>,
): ReadonlyMap<string, string> {
  const { storage, installation } = setup
  const { settings, version } = installation
  const isLeft = thirdStorage(installation) !== undefined && storage === 'switch'
  const old = isLeft && knowsExtraHosts(version) ? hostBefore(settings, setup) : undefined
  return new Map(old === undefined ? [] : [[EXTRA_HOSTS, withExtraHost(settings, old)]])
}

/** Whether Mastodon's pages allow media from this origin, as its settings stand. */
export function isNamed(settings: Settings, origin: string): boolean {
  const alias = settings.get('S3_ALIAS_HOST')?.value.replace(/^https?:\/\/|\/.*$/g, '') ?? ''
  const named = [`https://${alias}`, ...extraHosts(settings).map(originOf)]
  return named.includes(origin.toLowerCase())
}

function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : address
}

function extraHosts(settings: Settings): string[] {
  const named = settings.get(EXTRA_HOSTS)?.value ?? ''
  return named.split(/[,\s]+/).filter((entry) => entry !== '')
}

/** What stands in EXTRA_MEDIA_HOSTS (full addresses with commas or blanks between them) and one more. */
export function withExtraHost(settings: Settings, host: string): string {
  const entries = extraHosts(settings)
  const wanted = `https://${host}`
  const has = entries.some((entry) => entry.toLowerCase().replace(/\/$/, '') === wanted)
  return [...entries, ...(has ? [] : [wanted])].join(',')
}

/**
 * Host of the provider, or of the web server of its own, that Mastodon's pages name for media now;
 * undefined when it is the instance itself or the media host.
 */
export function otherProvidersHost(
  settings: Settings,
  { mediaHost, instanceHost = '' }: { mediaHost: string; instanceHost?: string | undefined },
): string | undefined {
  const isFull = /^(https?:)?\/\//i.test(settings.get('PAPERCLIP_ROOT_URL')?.value ?? '')
  if (!isFull && !usesObjectStorage(settings)) return undefined
  const azure = azureHost(settings)
  if (azure !== undefined) return azure === mediaHost ? undefined : azure
  const [address] = mediaAddresses(settings, instanceHost)
  return address && [mediaHost, instanceHost].includes(address.host) ? undefined : address?.host
}

/** Where Azure gives media out, while it is in use; what stands behind the host is not known. */
function azureHost(settings: Settings): string | undefined {
  const of = (name: string) => settings.get(name)?.value ?? ''
  const isInUse = ['S3_ENABLED', 'SWIFT_ENABLED'].every((name) => of(name) !== 'true')
  if (!isInUse || of('AZURE_ENABLED') !== 'true') return undefined
  const account = of('AZURE_STORAGE_ACCOUNT')
  const own = account === '' ? '' : `${account}.blob.core.windows.net`
  return of('AZURE_ALIAS_HOST').replace(/\/.*$/, '') || own || undefined
}

/** Media is at a provider whose own host the pages name already. */
export function usesObjectStorage(settings: Settings): boolean {
  const names = ['S3_ENABLED', 'SWIFT_ENABLED', 'AZURE_ENABLED']
  return names.some((name) => settings.get(name)?.value === 'true')
}
