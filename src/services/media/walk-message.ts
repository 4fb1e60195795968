import type { MediaFile } from './port.ts'
import type { Reader } from './reader.ts'
import type { ToldOddity } from './tree-walk.ts'
import type { WalkShare } from './walk-share.ts'

/** What a thread is to do. */
export interface WalkTask {
  readonly root: string
  readonly skip: readonly string[]
  readonly after: string
  readonly share: WalkShare
  readonly reader: Reader | undefined
}

/** Files on their way from a thread: one string and one buffer are a fraction of as many objects. */
export interface PackedFiles {
  readonly keys: string
  /** Size, changedAt and mode of each. */
  readonly numbers: Float64Array<ArrayBuffer>
}

/** What a thread says: that it has loaded, what it found, or why it can't. */
export type WalkMessage =
  | { readonly is: 'ready' }
  | {
      readonly is: 'found'
      readonly files: PackedFiles
      readonly oddities: readonly ToldOddity[]
      readonly more: boolean
    }
  | { readonly is: 'failed'; readonly error: Error; readonly code: string }

/** Stands in no path. */
const BETWEEN = '\0'
const FIELDS = 3

export function packFiles(files: readonly MediaFile[]): PackedFiles {
  const numbers = new Float64Array(files.length * FIELDS)
  let at = 0
  for (const { size, changedAt, mode = 0 } of files) {
    numbers[at++] = size
    numbers[at++] = changedAt
    numbers[at++] = mode
  }
  return { keys: files.map(({ key }) => key).join(BETWEEN), numbers }
}

export function unpackFiles({ keys, numbers }: PackedFiles): MediaFile[] {
  if (numbers.length === 0) return []
  return keys.split(BETWEEN).map((key, nth) => {
    const [size = 0, changedAt = 0, mode = 0] = numbers.subarray(nth * FIELDS, (nth + 1) * FIELDS)
    return { key, size, changedAt, mode }
  })
}
