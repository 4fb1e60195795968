import { counted } from '../core/amounts.ts'
import { prose } from '../core/to-type.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { MediaFile } from '../services/media/port.ts'
import { CLOCK_MARGIN_MS, type Migration } from './migration.ts'

/** Kinds of media in the order in which they are copied; each is sampled for itself. */
const KINDS = ['accounts/', 'cache/', 'custom_emojis/', 'media_attachments/', 'site_uploads/']
/** Files of a kind that are looked for in the bucket, from either end. */
const SAMPLED = 10

/** Whether a file that the bucket lacks was there at the switch, and was removed by Mastodon since. */
export type RemovedSince = (file: Pick<MediaFile, 'key' | 'changedAt'>) => boolean

/**
 * After the switch Mastodon removes media from the bucket and leaves the old files alone; to copy them
 * once more would publish what its people have deleted. A file counts as removed when it is older than
 * the switch and its kind was copied. Undefined where Mastodon is not switched, or all is to be copied
 * all the same.
 */
export async function removedSince(migration: Migration): Promise<RemovedSince | undefined> {
  const { switched, wishes, checkpoint } = migration
  if (switched === undefined || wishes.withRemoved) return undefined
  const copied = await copiedKinds(migration)
  if (copied.kinds.size === 0) return undefined
  const { switchedAt: noted, failed = [] } = (await checkpoint.read()) ?? {}
  const never = new Set(failed.map(({ key }) => key))
  const told = noted === undefined ? await switched.at() : new Date(noted)
  const until = told ? told.getTime() - CLOCK_MARGIN_MS : copied.newest
  return ({ key, changedAt }) =>
    changedAt < until && copied.kinds.has(`${key.split('/')[0]}/`) && !never.has(key)
}

/**
 * Kinds of which all seems to have been copied: most of the first files and most of the last ones are in
 * the bucket. What comes before such a kind was copied earlier; of a kind that comes after it and is
 * small, nothing can be told from its own files. `newest`: when the youngest of those files came.
 */
async function copiedKinds(migration: Migration) {
  const kinds = new Set<string>()
  const small: string[] = []
  let newest = -Infinity
  let last = -1
  for (const [at, kind] of KINDS.entries()) {
    const { files, there, isMost } = await lookFor(migration, kind)
    if (files < SAMPLED) small.push(kind)
    if (!isMost) continue
    newest = Math.max(newest, ...there.map(({ changedAt }) => changedAt))
    last = at
    kinds.add(kind)
  }
  if (kinds.size > 0) for (const kind of [...KINDS.slice(0, last), ...small]) kinds.add(kind)
  return { kinds, newest }
}

async function lookFor(migration: Migration, kind: string) {
  const ends = [await sample(migration, kind, false), await sample(migration, kind, true)]
  const there: MediaFile[] = []
  let isMost = true
  for (const files of ends) {
    const heads = await Promise.all(files.map(({ key }) => migration.bucket().head(key)))
    const found = files.filter((_, at) => heads[at] !== undefined)
    isMost &&= found.length * 2 > files.length
    there.push(...found)
  }
  return { files: ends[0]?.length ?? 0, there, isMost }
}

async function sample(
  { source, selection, signal }: Migration,
  kind: string,
  newestFirst: boolean,
): Promise<readonly MediaFile[]> {
  const others = [...KINDS, 'backups/', 'imports/', 'preview_cards/'].filter((one) => one !== kind)
  const skip = [...others, ...selection.skip]
  const found: MediaFile[] = []
  for await (const files of source.files({ signal, skip, few: true, newestFirst })) {
    for (const file of files) {
      const isClosed = file.mode !== undefined && (file.mode & 0o077) === 0
      if (!file.key.startsWith(kind) || isClosed) continue
      found.push(file)
      if (found.length >= SAMPLED) return found
    }
  }
  return found
}

/** Counts what is left out for that reason, and tells it once. */
export class RemovedFiles {
  readonly #rule: RemovedSince | undefined
  #count = 0
  #example = ''

  constructor(rule: RemovedSince | undefined) {
    this.#rule = rule
  }

  readonly isRemoved: RemovedSince = (file) => {
    if (this.#rule?.(file) !== true) return false
    this.#count += 1
    this.#example ||= file.key
    return true
  }

  tell({ say, lineFor }: Pick<Migration, 'say' | 'lineFor'>): void {
    if (this.#count === 0) return
    const many = counted(this.#count, 'file')
    say(
      prose`Not copied: ${many} that the bucket lacks and that were here before the switch, such as ${this.#example}. Mastodon has removed them from the bucket since. To publish them again all the same: ${lineFor('copy', { withRemoved: true })}`,
    )
    this.#count = 0
  }
}

/**
 * When the env file was switched to this bucket, as the newest backup tells that did not name it: a
 * backup is made in the moment of the change. Undefined when no backup tells.
 */
export async function switchTime(
  { envFile }: Pick<Installation, 'envFile'>,
  bucket: string,
): Promise<Date | undefined> {
  const { envReader, railsSettings, readEnvFile } = await import('../services/mastodon/env-read.ts')
  for (const { path, at } of await envReader.backups(envFile)) {
    const then = railsSettings(new Map(), [await readEnvFile(path)])
    const isOn = then.get('S3_ENABLED')?.value === 'true'
    if (!isOn || then.get('S3_BUCKET')?.value !== bucket) return at
  }
  return undefined
}
