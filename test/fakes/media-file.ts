import type { MediaFile, MediaSource, Oddity } from '../../src/services/media/port.ts'

/** Long before the tests' clock. */
export const OLD = Date.UTC(2026, 0, 1)

export function mediaFile(key: string, mode: number | undefined = 0o644, size = 100): MediaFile {
  return { key, size, mode, changedAt: OLD }
}

/** A source of these files, in batches of two; counts the batches that were read. */
export class FakeSource implements MediaSource {
  readonly name = '/srv/mastodon/public/system'
  readonly kind: 'local' | 's3'
  batches = 0
  readonly #files: readonly MediaFile[]
  readonly #oddities: readonly Oddity[]

  constructor(
    files: readonly MediaFile[],
    { kind = 'local', oddities = [] }: { kind?: 'local' | 's3'; oddities?: readonly Oddity[] } = {},
  ) {
    this.kind = kind
    this.#files = files
    this.#oddities = oddities
  }

  async *files({ onOddity }: Parameters<MediaSource['files']>[0] = {}) {
    for (const oddity of this.#oddities) onOddity?.(oddity)
    for (let at = 0; at < this.#files.length; at += 2) {
      this.batches += 1
      yield this.#files.slice(at, at + 2)
    }
  }

  async find() {
    return undefined
  }

  async read() {
    return new Uint8Array()
  }
}
