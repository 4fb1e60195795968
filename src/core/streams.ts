import { Problem } from './problem.ts'

/**
 * Prepares the next item while one is worked on. Whoever stops early has to end the source too (its
 * signal), or waits for what is being prepared.
 */
export async function* prefetch<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  const source = items[Symbol.asyncIterator]()
  let next = source.next()
  try {
    for (;;) {
      const { done, value } = await next
      if (done === true) return
      next = source.next()
      next.catch(() => undefined)
      yield value
    }
  } finally {
    await next.catch(() => undefined)
    await source.return?.()
  }
}

/**
 * The lists of a source, which is read from now on, until so many items wait to be taken. Whoever stops
 * early has to end the source too (its signal), or waits for what is being read.
 */
export function readAhead<Item>(
  lists: AsyncIterable<readonly Item[]>,
  most: number,
): AsyncIterable<readonly Item[]> {
  const waiting: (readonly Item[])[] = []
  let held = 0
  let state: 'reading' | 'over' | 'closed' = 'reading'
  let wake = () => {}
  let news = Promise.resolve()
  const tell = () => {
    wake()
    news = new Promise((resolve) => {
      wake = resolve
    })
  }
  tell()
  const read = async () => {
    try {
      for await (const list of lists) {
        if (state === 'closed') return
        waiting.push(list)
        held += list.length
        tell()
        while (held >= most && state === 'reading') await news
      }
    } finally {
      if (state === 'reading') state = 'over'
      tell()
    }
  }
  const reading = read()
  reading.catch(() => undefined)
  const take = async function* () {
    try {
      for (;;) {
        const list = waiting.shift()
        if (list !== undefined) {
          held -= list.length
          tell()
          yield list
        } else if (state === 'reading') await news
        else return await reading
      }
    } finally {
      state = 'closed'
      tell()
      await reading.catch(() => undefined)
    }
  }
  return take()
}

/** Work that is begun as it comes, a few at a time. */
export interface FewAtOnce {
  /** Resolves once the work has begun. Throws the first error of what was begun before. */
  begin(work: () => Promise<void>): Promise<void>
  /** Waits for the rest. Throws the first error. */
  end(): Promise<void>
}

export function fewAtOnce(limit: number): FewAtOnce {
  const running = new Set<Promise<void>>()
  let failed: { readonly error: unknown } | undefined
  const check = () => {
    if (failed) throw failed.error
  }
  return {
    async begin(work) {
      while (running.size >= limit) await Promise.race(running)
      check()
      const one: Promise<void> = work()
        .catch((error: unknown) => {
          failed ??= { error }
        })
        .finally(() => void running.delete(one))
      running.add(one)
    },
    async end() {
      await Promise.all(running)
      check()
    },
  }
}

/** Waits for every one, also where one fails; then throws the first fault. */
export async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

/**
 * Keys in the order in which S3 lists them: by their UTF-8 bytes. UTF-16 order (`<`) is another one as
 * soon as a character outside the basic plane meets one behind the surrogates.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (x !== y) return inUtf8Order(x) - inUtf8Order(y)
  }
  return a.length - b.length
}

/** Surrogates stand for what comes behind every other UTF-16 unit. */
function inUtf8Order(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

export interface Keyed {
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
