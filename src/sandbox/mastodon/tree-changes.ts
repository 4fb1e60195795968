import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { mediaClasses } from './media-class.ts'
import { mediaBodies } from './media-files.ts'
import { recordKeys } from './media-record.ts'
import { seededRandom } from './seeded-random.ts'

export interface TreeWishes {
  readonly add?: number
  readonly change?: number
  readonly remove?: number
  /** 2 unless told; another one for each call, or the same keys come again. */
  readonly seed?: number
}

/** Keys, each in one list only. */
export interface TreeChanges {
  readonly added: readonly string[]
  /** Every second one has kept its size. */
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** What users do to a folder of media while it is copied. Folders behind links are left alone. */
export function changeTree(dir: string, wishes: TreeWishes): TreeChanges {
  const { add = 0, change = 0, remove = 0, seed = 2 } = wishes
  const random = seededRandom(seed)
  const bodies = mediaBodies(random)
  const there = change + remove > 0 ? keysBelow(dir) : []
  const take = () => there.splice(random.below(there.length), 1).flat()
  const removed = Array.from({ length: Math.min(remove, there.length) }, take).flat()
  for (const key of removed) rmSync(join(dir, key))
  const changed = Array.from({ length: Math.min(change, there.length) }, take).flat()
  for (const [at, key] of changed.entries()) {
    const before = readFileSync(join(dir, key))
    const end = Buffer.from(random.hex(Math.min(16, before.length)))
    const kept = at % 2 === 0 ? before.subarray(0, before.length - end.length) : before
    writeFileSync(join(dir, key), Buffer.concat([kept, end]))
  }
  const added: string[] = []
  const own = mediaClasses.filter(({ folder }) => folder.endsWith('attachments/files'))
  for (let at = 0; added.length < add; at++) {
    const of = own[at % own.length]
    for (const key of of ? recordKeys(of, random, Date.now()) : []) {
      if (added.length >= add) break
      mkdirSync(dirname(join(dir, key)), { recursive: true })
      writeFileSync(join(dir, key), bodies.next(key.slice(key.lastIndexOf('.') + 1)))
      added.push(key)
    }
  }
  return { added, changed, removed }
}

/** Files below a folder in a lasting order; hidden ones are none. */
function keysBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort()
}
