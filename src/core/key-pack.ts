import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Keyed } from './streams.ts'

const packed = promisify(gzip)
const unpacked = promisify(gunzip)

/** Keys that go into one piece. */
const PIECE = 4_000

/** Lines as a KeyPack writes them, each with its end. Throws SyntaxError. */
export function keysIn(text: string): Keyed[] {
  return text.split('\n').flatMap((line) => {
    return line === '' ? [] : [{ key: JSON.parse(line) as string }]
  })
}

/**
 * Keys in the order in which they were added, compressed in memory: a million of Mastodon's take about
 * 25 MB. Its pieces, one behind the other, are a gzip file with one JSON text a line.
 */
export class KeyPack {
  readonly pieces: Buffer[] = []
  #waiting: string[] = []
  keys = 0
  bytes = 0

  async add(keys: readonly string[]): Promise<void> {
    // A loop: a page of keys as arguments could be too many.
    for (const key of keys) this.#waiting.push(key)
    this.keys += keys.length
    while (this.#waiting.length >= PIECE) {
      const piece = this.#waiting.slice(0, PIECE)
      this.#waiting = this.#waiting.slice(PIECE)
      await this.#pack(piece)
    }
  }

  /** What was added last is packed, too; nothing may be added afterwards. */
  async end(): Promise<this> {
    if (this.#waiting.length > 0) await this.#pack(this.#waiting)
    this.#waiting = []
    return this
  }

  async *read(): AsyncGenerator<readonly Keyed[]> {
    for (const piece of this.pieces) {
      const text = (await unpacked(piece)).toString('utf8')
      yield keysIn(text)
    }
  }

  async #pack(keys: readonly string[]): Promise<void> {
    const piece = await packed(keys.map((key) => `${JSON.stringify(key)}\n`).join(''))
    this.pieces.push(piece)
    this.bytes += piece.length
  }
}
