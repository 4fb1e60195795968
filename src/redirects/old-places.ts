import { Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import { preparedPath } from '../flow/mastodon-here.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import { mediaAddresses } from '../setup/media-addresses.ts'
import type { Ui } from '../ui/port.ts'
import { type OldPrefix, prefixName } from './redirecting.ts'

type Settings = Installation['settings']

/** Backups that are read, the newest first; `rotate` makes one each time. */
const MOST_BACKUPS = 30

/** What a rule can hold as it stands: other characters would have to be escaped in it. */
const RULED = /^\/(?:[\w.~-]+\/)*$/

/** First parts of keys: below the media host they are live media, and no old place. */
const KINDS =
  /^\/(accounts|media_attachments|custom_emojis|site_uploads|preview_cards|cache|backups|imports)\//

export interface Hosts {
  readonly instanceHost: string
  readonly mediaHost: string
}

export interface OldSettings {
  readonly settings: Settings
  /** The block of a setup that is prepared: it tells of other storage, and nothing of local files. */
  readonly isBlock: boolean
}

/**
 * Where media addresses pointed with each of these settings, without where they point now; the longest
 * path of a host first, as rules are tried in their order. `hasFiles`: media is on this machine, so it
 * was served from here, whatever the settings tell; so it was where they still name its address.
 */
export function oldPlaces(
  past: readonly OldSettings[],
  { instanceHost, mediaHost }: Hosts,
  { hasFiles }: { readonly hasFiles: boolean },
): readonly OldPrefix[] {
  const places = past
    .filter(({ settings, isBlock }) => !isBlock || settings.get('S3_ENABLED')?.value === 'true')
    .flatMap(({ settings }) => mediaAddresses(settings, instanceHost))
    .filter((place) => !isNow(place, mediaHost))
  const [now] = past
  const isLocal =
    hasFiles || places.length === 0 || now?.settings.get('PAPERCLIP_ROOT_URL') !== undefined
  const local = now && isLocal ? mediaAddresses(onDisk(now.settings), instanceHost) : []
  const all = [...places, ...local].filter(
    (place) => !isNow(place, mediaHost) && !(place.host === instanceHost && place.path === '/'),
  )
  return [...new Map(all.map((place) => [prefixName(place), place])).values()].sort(
    (a, b) => b.path.split('/').length - a.path.split('/').length,
  )
}

/** Media is there now: nothing needs to be led to where it is. */
export function isNow({ host, path }: OldPrefix, mediaHost: string): boolean {
  return host === mediaHost && (path === '/' || KINDS.test(path))
}

/** Whether a rule can be made of its path and host as they are. */
export function canBeRuled({ host, path }: OldPrefix): boolean {
  return RULED.test(path) && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host)
}

function onDisk(settings: Settings): Settings {
  const off = ['S3_ENABLED', 'SWIFT_ENABLED', 'AZURE_ENABLED']
  return new Map([...settings].filter(([name]) => !off.includes(name)))
}

/**
 * Mastodon's settings now, those of the file that was prepared beside the env file, and those of the
 * newest backups of both. Backups that can't be read are told of, and others are not missed for them.
 */
export async function settingsSoFar(
  { envFile, settings }: Installation,
  { warn }: Pick<Ui, 'warn'>,
): Promise<readonly OldSettings[]> {
  const { envReader, railsSettings } = await import('../services/mastodon/env-read.ts')
  const block = preparedPath(envFile)
  const whole = envFile.path.endsWith('.r2') ? [envFile.path.replace(/\.r2$/, '')] : []
  const past: OldSettings[] = [{ settings, isBlock: false }]
  for (const path of [block, ...whole, envFile.path]) {
    const isBlock = path === block
    const file = path === envFile.path ? envFile : await readOr(path, warn)
    const backups = file ? (await envReader.backups(file)).slice(0, MOST_BACKUPS) : []
    const older = await Promise.all(backups.map((backup) => readOr(backup.path, warn)))
    for (const one of [file === envFile ? undefined : file, ...older]) {
      if (one?.exists) past.push({ settings: railsSettings(new Map(), [one]), isBlock })
    }
  }
  return past
}

async function readOr(path: string, warn: Ui['warn']): Promise<EnvFileOnDisk | undefined> {
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  try {
    return await readEnvFile(path)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    warn(prose`An old place that only ${path} names is not found: ${error.what} ${error.next}`)
    return undefined
  }
}
