import { isDeepStrictEqual } from 'node:util'
import { jurisdictions } from '../core/jurisdictions.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { shellLine, shellWord } from '../core/shell-word.ts'
import type { Host } from '../host.ts'
import type { Facts, Place, Setup } from '../plan/step.ts'
import type { ChangedFile, CountLimits } from '../services/mastodon/candidate.ts'
import {
  isLedByOthers,
  refuseFullDisk,
  refuseHindered,
} from '../services/mastodon/env-hindrance.ts'
import { readEnvFile } from '../services/mastodon/env-read.ts'
import { lockEnvFile } from '../services/mastodon/env-write.ts'
import { findMastodon } from '../services/mastodon/find.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import { wayTo } from '../services/media/owner.ts'
import type { S3Key } from '../services/s3/port.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Run } from './run.ts'

interface Here {
  readonly host: Host
  readonly settings: Pick<Settings<SetupCatalog>, 'get'>
}

/** Milliseconds for a program that only looks. */
const LOOK_MS = 30_000

/** Mastodon on this machine, where the flags or the working directory point, and how its Puma runs. */
export async function findMastodonHere(
  here: Here,
  ...how: [countMedia?: CountLimits, changed?: ChangedFile]
): Promise<Installation> {
  return withPuma(await findMastodonFiles(here, ...how))
}

/** The same from its files alone; `pumaWorkers` is not known. */
export async function findMastodonFiles(
  { host, settings }: Here,
  /** How far media is counted; not at all where nobody asks how much there is. */
  countMedia?: CountLimits,
  /** A file as it would be. */
  changed?: ChangedFile,
): Promise<Installation> {
  return findMastodon({
    cwd: host.cwd,
    mastodonDir: settings.get('mastodonDir'),
    envFile: settings.get('mastodonEnv'),
    mediaDir: settings.get('mediaDir'),
    environment: host.environment,
    async ask(command, cwd) {
      const { run } = await import('../services/process/run.ts')
      const { environment } = host
      return run(command, { environment, timeoutMs: LOOK_MS, ...(cwd !== undefined && { cwd }) })
    },
    ...(countMedia && { countMedia }),
    changed,
  })
}

/** What was found, and whether its Puma has workers: for that all processes are looked at. */
export async function withPuma(found: Installation): Promise<Installation> {
  if (found.kind !== 'systemd') return found
  const { hasPumaWorkers } = await import('../services/mastodon/processes.ts')
  return { ...found, pumaWorkers: await hasPumaWorkers(found, { now: () => new Date() }) }
}

/** No Mastodon, no env file, and nobody has said where they are. */
export function isNowhere(
  { kind, envFile }: Pick<Installation, 'kind' | 'envFile'>,
  settings: Here['settings'],
): boolean {
  const isNamed = settings.get('mastodonEnv') !== undefined
  return kind === 'none' && !envFile.exists && !isNamed
}

/** What is needed where no Mastodon was found. `print`: the command can do without one. */
export function nowhere({ print = false }: { readonly print?: boolean } = {}): Problem {
  const elsewhere = print
    ? '\nIs Mastodon on another machine? Add --print: nothing is written here.'
    : ''
  return new Problem({
    code: 'mastodon-not-found',
    what: 'No Mastodon was found on this machine.',
    why: 'Looked for were its source, its compose file and .env.production: in this folder, in the usual ones, and where systemd runs it.',
    next: `Name its folder with --mastodon-dir DIR, or its settings with --mastodon-env PATH.${elsewhere}`,
    exit: 2,
  })
}

/**
 * Keeps other runs away from the env file until this one ends. Who writes nothing needs no lock: a
 * look, a dry run, a rehearsal, --print, or a file that this user may not write. `changed`: the run
 * that held it before wrote it since it was read here. Problems: `locked`, `lock-not-writable`,
 * `env-file-not-writable`, `env-file-link-foreign`.
 */
export async function holdEnvFile(
  run: Run<SetupCatalog>,
  file: EnvFileOnDisk,
  { lookOnly }: { readonly lookOnly: boolean },
): Promise<'not held' | 'as read' | 'changed'> {
  const { host, settings, atEnd } = run
  const writesNothing =
    lookOnly || settings.on('dryRun') || settings.on('print') || settings.on('sandbox')
  if (writesNothing || (!file.writable && host.userId !== 0)) return 'not held'
  await refuseHindered(file, host.userId)
  if (!file.writable) return 'not held'
  if (host.userId === 0) await agreeToLink(run, file)
  const [command = 'init'] = host.argv
  atEnd.push(await lockEnvFile(file, { pid: host.pid, command }))
  const [now] = await Promise.all([readEnvFile(file.path), refuseFullDisk(file, host.userId)])
  return isDeepStrictEqual(now, file) ? 'as read' : 'changed'
}

/** Root follows a link that somebody else made than whose file it leads to only when told so. */
async function agreeToLink({ ui }: Run<SetupCatalog>, file: EnvFileOnDisk): Promise<void> {
  if (!(await isLedByOthers(file, wayTo(file.path).linkers))) return
  const what = `${file.path} leads through a link to ${file.realPath}, which belongs to somebody else than who made the link.`
  if (ui.canAsk && (await ui.agree(`${what} Change that file?`, 'no'))) return
  throw new Problem({
    code: 'env-file-link-foreign',
    what,
    why: 'Who made the link could let it lead to any file, and root would change that. Nothing was changed.',
    next: `If that file is meant, name it itself: --mastodon-env ${shellWord(file.realPath)}`,
    exit: 2,
  })
}

/** What Mastodon sends with every upload (its config/initializers/paperclip.rb). */
export const MEDIA_CACHE_CONTROL = 'public, max-age=315576000, immutable'

/** The line that spares Mastodon reads by part number (its config/initializers/paperclip.rb). */
export const SINGLE_REQUEST = 'S3_FORCE_SINGLE_REQUEST'

/** Whether it is in force already. */
export function isSingle({ installation }: Pick<Place, 'installation'>): boolean {
  return installation.settings.get(SINGLE_REQUEST)?.value === 'true'
}

/** The settings that `init` writes, the one that is seldom needed included. */
export const storageNames = [
  'S3_ENABLED',
  'S3_BUCKET',
  'S3_REGION',
  'S3_ENDPOINT',
  'S3_PROTOCOL',
  'S3_PERMISSION',
  'S3_ALIAS_HOST',
  SINGLE_REQUEST,
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
] as const

/**
 * The lines that Mastodon needs for R2 (its config/initializers/paperclip.rb). S3_PERMISSION has to
 * be there and empty: absent means `public-read`, an ACL that R2 does not have. `singleRequests`:
 * downloads in one GET each, where reads by part number are refused.
 */
export function storageBlock(
  setup: Place & Pick<Setup, 'storage'>,
  key: S3Key,
  { singleRequests }: Pick<Partial<Facts>, 'singleRequests'> = {},
): ReadonlyMap<string, string> {
  const values: Record<(typeof storageNames)[number], string> = {
    S3_ENABLED: setup.storage === 'switch' ? 'true' : 'false',
    S3_BUCKET: setup.at.bucket,
    S3_REGION: 'auto',
    S3_ENDPOINT: setup.s3Endpoint,
    S3_PROTOCOL: 'https',
    S3_PERMISSION: '',
    S3_ALIAS_HOST: setup.mediaHost,
    [SINGLE_REQUEST]: 'true',
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey.reveal(),
  }
  const names = storageNames.filter((name) => singleRequests || name !== SINGLE_REQUEST)
  return new Map(names.map((name) => [name, values[name]]))
}

/**
 * Settings of another provider that break R2, with the reason; they are commented out. Everything
 * else that is harmless stays.
 */
export function hindrances(
  settings: ReadonlyMap<string, { readonly value: string }>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const judge = (name: string, breaks: (value: string) => boolean, reason: string) => {
    const setting = settings.get(name)
    if (setting && breaks(setting.value)) found.set(name, reason)
  }
  judge('S3_SIGNATURE_VERSION', (v) => v !== '' && v !== 'v4', 'R2 takes signature version 4 only')
  judge('S3_STORAGE_CLASS', (v) => v !== '', "R2 refuses other providers' storage classes")
  judge('S3_OVERRIDE_PATH_STYLE', (v) => v === 'true', 'path style is the tested one on R2')
  judge('S3_MULTIPART_THRESHOLD', (v) => asRubyReads(v) < 5_242_880, 'bytes; parts start at 5 MiB')
  judge('S3_READ_TIMEOUT', (v) => asRubyReads(v) < 1, 'seconds; 0 waits for no answer')
  judge('S3_BATCH_DELETE_LIMIT', (v) => asRubyReads(v) < 1, 'files; by 0 nothing is deleted')
  judge('S3_KEY_PREFIX', (v) => v !== '', 'tootctl expects media at the top of the bucket')
  return found
}

/** Ruby's `to_i`: the digits in front, underscores between them allowed, else 0. */
function asRubyReads(text: string): number {
  return Number.parseInt(text.replaceAll('_', ''), 10) || 0
}

/** R2's S3 endpoint for a bucket's account and jurisdiction (Cloudflare docs, r2/api/s3). */
export function r2Endpoint(accountId: string, jurisdiction: string): string {
  const place = jurisdiction === 'default' ? '' : `.${jurisdiction}`
  return `https://${accountId}${place}.r2.cloudflarestorage.com`
}

const R2_ENDPOINT = new RegExp(
  `^https?://([0-9a-f]{32})(?:\\.(${jurisdictions.join('|')}))?\\.r2\\.cloudflarestorage\\.com(?:[:/]|$)`,
)

/** Account and jurisdiction back out of S3_ENDPOINT; undefined when it is not R2's. */
export function readR2Endpoint(
  endpoint: string,
): { accountId: string; jurisdiction: string } | undefined {
  const match = R2_ENDPOINT.exec(endpoint)
  if (!match?.[1]) return undefined
  return { accountId: match[1], jurisdiction: match[2] ?? 'default' }
}

/** What Mastodon's env files tell about its storage. */
export interface Remembered {
  /** `r2`: our kind of setup is there; `other`: another S3 provider is in use; `none`. */
  readonly storage: 'r2' | 'other' | 'none'
  readonly switchedOn: boolean
  /** Storage that is neither S3 nor this disk, as Mastodon uses it now. */
  readonly elsewhere: ThirdStorage | undefined
  readonly bucket: string | undefined
  readonly mediaHost: string | undefined
  readonly accountId: string | undefined
  readonly jurisdiction: string | undefined
  readonly key: S3Key | undefined
  /** The file that the values stand in, for the source shown beside them. */
  readonly from: string
}

export interface ThirdStorage {
  readonly name: string
  /** Container, and where it is, as far as the settings tell. */
  readonly place: string
  /** What rclone calls its backend for it. */
  readonly backend: 'swift' | 'azureblob'
  /** What `rclone config` asks for, and which settings of Mastodon answer it. */
  readonly answers: string
}

const OF_SWIFT =
  'user is SWIFT_USERNAME, key SWIFT_PASSWORD, auth SWIFT_AUTH_URL, tenant SWIFT_TENANT, tenant_id SWIFT_PROJECT_ID, region SWIFT_REGION'
const OF_AZURE = 'account is AZURE_STORAGE_ACCOUNT, key AZURE_STORAGE_ACCESS_KEY'

/** Mastodon asks for S3 first, then Swift, then Azure; each is exactly `true` (its config/initializers/paperclip.rb). */
export function thirdStorage({
  settings,
}: Pick<Installation, 'settings'>): ThirdStorage | undefined {
  const of = (name: string) => settings.get(name)?.value ?? ''
  if (of('S3_ENABLED') === 'true') return undefined
  if (of('SWIFT_ENABLED') === 'true') {
    const place = of('SWIFT_CONTAINER')
    return { name: 'OpenStack Swift', place, backend: 'swift', answers: OF_SWIFT }
  }
  if (of('AZURE_ENABLED') !== 'true') return undefined
  const place = of('AZURE_CONTAINER_NAME')
  return { name: 'Azure Blob Storage', place, backend: 'azureblob', answers: OF_AZURE }
}

/** What is not copied, and what copies it. A key for one bucket alone may not look for others. */
export function thirdStorageCopy(
  { name, place, backend, answers }: ThirdStorage,
  bucket = 'BUCKET',
): string {
  const copy = shellLine([
    ...['rclone', 'copy', '--s3-no-check-bucket'],
    ...['--header-upload', `Cache-Control: ${MEDIA_CACHE_CONTROL}`],
    ...[`OLD:${place || 'CONTAINER'}`, `R2:${bucket}`],
  ])
  return `This program does not copy from ${name}. rclone does: with "rclone config" make a remote OLD (storage ${backend}; ${answers}) and a remote R2 (storage s3, provider Cloudflare; the endpoint and both keys are those that init writes), then: ${copy}`
}

/** The env file is the memory: account, jurisdiction, bucket, key and media host stand in it. */
export function remember(
  installation: Pick<Installation, 'settings' | 'envFile'>,
  ownEndpoint?: string,
): Remembered {
  const read = (name: string) => {
    const value = installation.settings.get(name)?.value ?? ''
    return value === '' || value.includes('{{') ? undefined : value
  }
  const endpoint = read('S3_ENDPOINT')?.replace(/\/+$/, '')
  const place = endpoint === undefined ? undefined : readR2Endpoint(endpoint)
  const isR2 = place !== undefined || (endpoint !== undefined && endpoint === ownEndpoint)
  const switchedOn = read('S3_ENABLED') === 'true'
  const [id, secret] = [read('AWS_ACCESS_KEY_ID'), read('AWS_SECRET_ACCESS_KEY')]
  const wellFormed = /^[0-9a-f]{32}$/.test(id ?? '') && /^[0-9a-f]{64}$/.test(secret ?? '')
  return {
    storage: isR2 ? 'r2' : switchedOn ? 'other' : 'none',
    switchedOn,
    elsewhere: thirdStorage(installation),
    bucket: isR2 ? read('S3_BUCKET') : undefined,
    mediaHost: isR2 ? bareHost(read('S3_ALIAS_HOST')) : undefined,
    accountId: place?.accountId,
    jurisdiction: place?.jurisdiction,
    key:
      isR2 && wellFormed && id !== undefined && secret !== undefined
        ? { accessKeyId: id, secretAccessKey: new Secret(secret) }
        : undefined,
    from: installation.settings.get('S3_ENDPOINT')?.from ?? installation.envFile.path,
  }
}

/** Mastodon takes a path behind the host; a scheme in front is a common mistake. */
function bareHost(alias: string | undefined): string | undefined {
  return alias?.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}

/** Where `init` puts the block while other storage stays in force; `migrate` switches to it. */
export function preparedPath({ path }: Pick<EnvFileOnDisk, 'path'>): string {
  return `${path}.r2`
}

/** Where neither WEB_DOMAIN nor LOCAL_DOMAIN is set. */
export function instanceUnknown({ envFile }: Pick<Installation, 'envFile'>): Problem {
  return new Problem({
    code: 'instance-unknown',
    what: 'The host of the instance is not known.',
    why: `${envFile.path} has neither WEB_DOMAIN nor LOCAL_DOMAIN.`,
    next: 'Name the right file with --mastodon-env.',
    exit: 2,
  })
}
