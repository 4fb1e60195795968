import { access } from 'node:fs/promises'
import { asRoot, type Text } from '../../core/to-type.ts'
import { type Command, commandLine } from '../process/port.ts'
import { type BucketPlace, type CopyPlace, SENT_IN_PARTS } from './port.ts'

/** One run of rclone: keys that share their headers. */
export interface CopyRun {
  readonly from: CopyPlace
  readonly to: CopyPlace
  readonly transfers: number
  readonly bwlimit?: string | undefined
  /** Requests a second at most. */
  readonly perSecond?: number | undefined
  /** Files that are sent in parts; whole ones unless told. */
  readonly isLarge?: boolean
  /** An object that fails once is given up at once, so that it is heard of. */
  readonly isBrief?: boolean
  /** Undefined where rclone's own choice is known to be right. */
  readonly contentType: string | undefined
}

/** What Mastodon stores with every object (config/initializers/paperclip.rb). */
const CACHE_CONTROL = 'public, max-age=315576000, immutable'

/** Whether a release such as `1.60.1` is this one (`1.59`) or a later one. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [first = 0, second = 0] = oldest.split('.').map(Number)
  return major > first || (major === first && minor >= second)
}

/** `rclone version`. */
export function versionCommand(): Command {
  return rclone(['version'], {})
}

/**
 * Lists a folder as JSON with the Content-Type that rclone would give each of its files; with -vv it
 * tells its version too, as there is no secret here that it could print.
 */
export function aboutCommand(folder: string): Command {
  return rclone(['lsjson', '-vv', '--no-modtime', folder], {})
}

/**
 * Copies the keys on its standard input, one a line, without a look at what is there. Never -vv: it
 * prints the secrets.
 */
export function copyCommand(run: CopyRun): Command {
  const { from, to, transfers, bwlimit, perSecond, contentType, isBrief = false } = run
  const headers = [
    `Cache-Control: ${CACHE_CONTROL}`,
    ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`]),
  ]
  const args = [
    'copy',
    placeOf('OLD', from),
    placeOf('R2', to),
    ...['--files-from-raw', '-', '--no-check-dest', '--no-traverse', '--no-unicode-normalization'],
    ...['--no-update-modtime', '--copy-links'],
    ...(to.kind === 'bucket' ? headers.flatMap((header) => ['--header-upload', header]) : onDisk),
    ...['--transfers', String(transfers), '--checkers', String(Math.min(transfers, 64))],
    ...(bwlimit === undefined ? [] : ['--bwlimit', bwlimit]),
    ...(perSecond === undefined ? [] : ['--tpslimit', String(perSecond)]),
    ...tuning,
    ...partsOf(run),
    ...['--retries', '1', '--low-level-retries', isBrief ? '1' : '10'],
    ...['--contimeout', '20s', '--timeout', '2m'],
    ...['--use-json-log', '--stats', '1s', '--stats-log-level', 'INFO', '-v'],
    ...['--ask-password=false'],
  ]
  const command = rclone(args, {
    ...(to.kind === 'bucket' && remote('R2', to)),
    ...(from.kind === 'bucket' && { ...remote('OLD', from), RCLONE_S3_NO_HEAD_OBJECT: 'true' }),
  })
  const as = folderOf(run)?.as
  return { ...command, usual: run.isLarge ? ofParts : ofWholeFiles, ...(as && { as }) }
}

/**
 * Go's collector at its defaults takes a fifth of the processor that a small file costs; what lives is
 * little. Built with Go before 1.19, rclone knows no limit, and takes what that is for.
 */
const ofWholeFiles = { GOGC: '400', GOMEMLIMIT: '180MiB' }
/** The parts live long, and at its defaults Go would let as much garbage lie beside them. */
const ofParts = { GOGC: '25' }

/** Of the time of an object each file would cost a request; Mastodon asks for none. */
const onDisk = ['--use-server-modtime', '--local-no-set-modtime']

/** The side that lies on this machine; undefined where both are buckets. */
export function folderOf({
  from,
  to,
}: Pick<CopyRun, 'from' | 'to'>): Extract<CopyPlace, { kind: 'folder' }> | undefined {
  if (from.kind === 'folder') return from
  return to.kind === 'folder' ? to : undefined
}

/**
 * An account may not be allowed to search what lies above its folder (`/root`), so rclone is started
 * in there, and told of it by a name that the system resolves at once.
 */
function placeOf(name: 'R2' | 'OLD', place: CopyPlace): string {
  if (place.kind === 'bucket') return `${name}:${place.bucket}`
  return place.as === undefined ? place.path : '/proc/self/cwd'
}

const MEBI = 1_048_576

const tuning = [
  '--s3-no-check-bucket',
  '--s3-no-head',
  // R2 never says `100 Continue`: each object above 2 MB would wait a second for it.
  ...['--expect-continue-timeout', '0'],
  // Up to this size an object is one request and its ETag is its MD5.
  ...['--s3-upload-cutoff', `${SENT_IN_PARTS / MEBI}Mi`],
  // rclone's 16 MiB for each transfer would be gigabytes.
  ...['--buffer-size', '0', '--multi-thread-streams', '0'],
]

/** Mebibytes of parts in memory at the same time, as long as they need not be smaller than S3 allows. */
const PARTS_IN_MEMORY = 96
const [SMALLEST_PART, LARGEST_PART] = [5, 8] as const

/** rclone makes the parts larger where a file would have more than 10,000. */
function partsOf({ transfers, isLarge = false }: Pick<CopyRun, 'transfers' | 'isLarge'>): string[] {
  const atOnce = isLarge && transfers <= 4 ? 3 : 1
  const fits = Math.floor(PARTS_IN_MEMORY / (transfers * atOnce))
  const part = Math.min(LARGEST_PART, Math.max(SMALLEST_PART, fits))
  return ['--s3-chunk-size', `${part}Mi`, '--s3-upload-concurrency', String(atOnce)]
}

function remote(name: 'R2' | 'OLD', place: BucketPlace): Command['env'] {
  const { endpoint, region, key, provider, virtualHost = false, acl, storageClass } = place
  const options = {
    TYPE: 's3',
    PROVIDER: provider,
    ENDPOINT: endpoint,
    REGION: region,
    ACCESS_KEY_ID: key.accessKeyId,
    SECRET_ACCESS_KEY: key.secretAccessKey,
    ENV_AUTH: 'false',
    FORCE_PATH_STYLE: String(!virtualHost),
    ...(acl !== undefined && { ACL: acl }),
    ...(storageClass !== undefined && { STORAGE_CLASS: storageClass }),
  }
  return Object.fromEntries(
    Object.entries(options).map(([option, value]) => [`RCLONE_CONFIG_${name}_${option}`, value]),
  )
}

function rclone(args: readonly string[], env: Command['env']): Command {
  return { program: 'rclone', args, env: { ...env, RCLONE_CONFIG: '/dev/null' } }
}

const SIGNED =
  /((?:Signature|X-Amz-[A-Za-z-]*(?:Signature|Credential|Token)|secret_access_key)["']?[=:]\s*["']?)[^\s"'&,]+/gi

/** Takes out of rclone's words what opens a bucket. */
export function redact(text: string, places: readonly CopyPlace[]): string {
  let shown = text
  for (const place of places) {
    if (place.kind === 'folder') continue
    const { accessKeyId, secretAccessKey } = place.key
    for (const secret of [secretAccessKey.reveal(), accessKeyId]) {
      if (secret.length > 3) shown = shown.replaceAll(secret, '****')
    }
  }
  return shown.replace(SIGNED, '$1****')
}

const INSTALLERS: readonly (readonly [path: string, program: string, args: readonly string[]])[] = [
  ['/usr/bin/apt-get', 'apt-get', ['install', '-y', 'rclone']],
  ['/usr/bin/dnf', 'dnf', ['install', '-y', 'rclone']],
  ['/usr/bin/zypper', 'zypper', ['--non-interactive', 'install', 'rclone']],
  ['/usr/bin/pacman', 'pacman', ['-S', '--noconfirm', 'rclone']],
  ['/sbin/apk', 'apk', ['add', 'rclone']],
]

type Exists = (path: string) => Promise<boolean>

/** What installs rclone here, to be run as root; undefined where no package manager is known. */
export async function installCommand(exists: Exists = isThere): Promise<Command | undefined> {
  for (const [path, program, args] of INSTALLERS) {
    if (await exists(path)) return { program, args, env: {} }
  }
  return undefined
}

/** The line to paste; for a machine without a known package manager the page that tells. */
export async function installLine(exists: Exists = isThere): Promise<Text> {
  const command = await installCommand(exists)
  return command ? asRoot(commandLine(command)) : 'see https://rclone.org/install/'
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
