import { compareKeys } from './key-order.ts'
import { Problem } from './problem.ts'

interface Keyed {
  readonly key: string
}

/** A key with what either side has of it; one of the two may be missing. */
export type Pair<File extends Keyed, Stored extends Keyed> =
  | { readonly file: File; readonly object: Stored }
  | { readonly file: File; readonly object: undefined }
  | { readonly file: undefined; readonly object: Stored }

type Batches<Item> = AsyncIterable<readonly Item[]>

/**
 * Two sides in the order of their keys, side by side and in the same order, in batches. It holds one
 * batch of each. An order that isn't that of key-order.ts would give wrong answers: Problem
 * `keys-out-of-order`, as other providers than R2 may list in another one. Whoever stops early ends
 * both sides.
 */
export async function* merge<File extends Keyed, Stored extends Keyed>(
  files: Batches<File>,
  objects: Batches<Stored>,
): AsyncGenerator<readonly Pair<File, Stored>[], void, undefined> {
  const left = new Side(files, 'source')
  const right = new Side(objects, 'bucket')
  try {
    for (;;) {
      await Promise.all([left.fill(), right.fill()])
      const pairs = takePairs(left, right)
      if (pairs.length === 0) return
      yield pairs
    }
  } finally {
    await Promise.allSettled([left.end(), right.end()])
  }
}

/** Goes on until one side has to be filled again; nothing comes out when both have ended. */
function takePairs<File extends Keyed, Stored extends Keyed>(
  left: Side<File>,
  right: Side<Stored>,
): Pair<File, Stored>[] {
  const pairs: Pair<File, Stored>[] = []
  for (;;) {
    const [file, object] = [left.head, right.head]
    if ((!file && !left.ended) || (!object && !right.ended)) return pairs
    if (file && object) {
      const order = compareKeys(file.key, object.key)
      if (order === 0) pairs.push({ file, object })
      else if (order < 0) pairs.push({ file, object: undefined })
      else pairs.push({ file: undefined, object })
      if (order <= 0) left.advance()
      if (order >= 0) right.advance()
    } else if (file) {
      pairs.push({ file, object: undefined })
      left.advance()
    } else if (object) {
      pairs.push({ file: undefined, object })
      right.advance()
    } else {
      return pairs
    }
  }
}

class Side<Item extends Keyed> {
  readonly #batches: AsyncIterator<readonly Item[]>
  readonly #name: 'source' | 'bucket'
  #batch: readonly Item[] = []
  #at = 0
  #last: string | undefined
  head: Item | undefined
  ended = false

  constructor(batches: Batches<Item>, name: 'source' | 'bucket') {
    this.#batches = batches[Symbol.asyncIterator]()
    this.#name = name
  }

  async fill(): Promise<void> {
    while (!this.head && !this.ended) {
      const { done, value } = await this.#batches.next()
      this.ended = done === true
      this.#batch = done === true ? [] : value
      this.#at = -1
      this.advance()
    }
  }

  advance(): void {
    this.#at += 1
    this.head = this.#batch[this.#at]
    if (!this.head) return
    const { key } = this.head
    if (this.#last !== undefined && compareKeys(this.#last, key) >= 0) {
      throw outOfOrder(this.#name, this.#last, key)
    }
    this.#last = key
  }

  async end(): Promise<void> {
    if (!this.ended) await this.#batches.return?.()
  }
}

function outOfOrder(side: 'source' | 'bucket', before: string, key: string): Problem {
  return new Problem({
    code: 'keys-out-of-order',
    what: `The ${side} does not list its files in the order that S3 asks for.`,
    why: `${JSON.stringify(before)} came before ${JSON.stringify(key)}; what is missing can't be told from such a list.`,
    next:
      side === 'source'
        ? 'Copy with --engine super-slurper if the media is at another S3 provider, and please report this with the name of the provider.'
        : 'Run this again. If it stays, check that S3_ENDPOINT is the address of R2, and please report this.',
  })
}
