import { lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A media file as Mastodon's database would know it. */
export interface StoredFile {
  readonly key: string
  readonly name: string
  /** Class, kind and id: its row. */
  readonly record: string
  /** Days since the row was made. */
  readonly age: number
  readonly size: number
}

/** Every file of a media folder that has a row; links are followed, and lead to no loops here. */
export function storedFiles(
  folder: string,
  ageOf: (partition: string, now: number) => number,
): StoredFile[] {
  const now = Date.now()
  const found: StoredFile[] = []
  const walk = (prefix: string) => {
    for (const name of readdirSync(join(folder, prefix)).sort()) {
      const key = `${prefix}${name}`
      const stat = kindOf(join(folder, key))
      if (stat?.isDirectory()) walk(`${key}/`)
      const [, record, partition] =
        /^((?:cache\/)?[a-z_]+\/[a-z_]+\/(\d{3}(?:\/\d{3})+))\/[^/]+\/[^/]+$/.exec(key) ?? []
      if (!stat?.isFile() || record === undefined || partition === undefined) continue
      found.push({ key, name, record, age: ageOf(partition, now), size: stat.size })
    }
  }
  if (kindOf(folder)?.isDirectory()) walk('')
  return found
}

function kindOf(path: string) {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : stat
}
