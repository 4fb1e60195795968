import { compareKeys } from '../core/streams.ts'

/** Keys that are named, besides the full count. */
export const EXAMPLES = 20

/** Counts everything and keeps the first few keys, 20 unless told. */
export class Tally {
  objects = 0
  bytes = 0
  readonly examples: string[] = []
  readonly #named: number

  constructor(named = EXAMPLES) {
    this.#named = named
  }

  add(key: string, bytes: number): void {
    this.objects += 1
    this.bytes += bytes
    if (this.examples.length < this.#named) this.examples.push(kept(key))
  }

  told(): { objects: number; bytes: number; examples: string[] } {
    const { objects, bytes, examples } = this
    return { objects, bytes, examples: examples.toSorted(compareKeys) }
  }
}

/** A copy of its own: a key cut out of a page of a listing holds the whole page in memory. */
export function kept(key: string): string {
  return Buffer.from(key).toString()
}
