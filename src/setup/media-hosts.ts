import { isAtLeast } from '../services/mastodon/port.ts'

type Settings = ReadonlyMap<string, { readonly value: string }>

/** EXTRA_MEDIA_HOSTS came with 4.4.0 (mastodon#34184). */
const SINCE = '4.4.0'

/** Whether this Mastodon knows EXTRA_MEDIA_HOSTS; one that tells no version is taken for a new one. */
export function knowsExtraHosts(version: string | undefined): boolean {
  return version === undefined || isAtLeast(version, SINCE)
}

/** What stands in EXTRA_MEDIA_HOSTS (full addresses with commas or blanks between them) and one more. */
export function withExtraHost(settings: Settings, host: string): string {
  const entries = (settings.get('EXTRA_MEDIA_HOSTS')?.value ?? '')
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
  const wanted = `https://${host}`
  const has = entries.some((entry) => entry.toLowerCase().replace(/\/$/, '') === wanted)
  return [...entries, ...(has ? [] : [wanted])].join(',')
}

/**
 * Host of the provider that Mastodon stores its media at now; undefined when it stores them on its
 * own disk, or names none.
 */
export function otherProvidersHost(settings: Settings, mediaHost: string): string | undefined {
  if (settings.get('S3_ENABLED')?.value !== 'true') return undefined
  const names = ['S3_ALIAS_HOST', 'S3_CLOUDFRONT_HOST', 'S3_HOSTNAME']
  const host = names.map((name) => settings.get(name)?.value ?? '').find((value) => value !== '')
  return host === mediaHost ? undefined : host?.replace(/\/.*$/, '')
}

/** Media is at a provider whose own host the pages name already. */
export function usesObjectStorage(settings: Settings): boolean {
  const names = ['S3_ENABLED', 'SWIFT_ENABLED', 'AZURE_ENABLED']
  return names.some((name) => settings.get(name)?.value === 'true')
}
