import { Cancelled } from '../../core/problem.ts'
import type { Clock } from '../../plan/step.ts'
import type { MediaFile } from '../../services/media/port.ts'

/** Files and milliseconds that a batch waits for. */
interface Fill {
  readonly files: number
  readonly ms: number
}

/** Soon, so that bytes move; then as few runs of rclone as can be: each has a start and an end. */
const FIRST: Fill = { files: 20_000, ms: 1_000 }
const LARGEST: Fill = { files: 20_000, ms: 10_000 }

type Lists<File> = AsyncIterable<readonly File[]> | Iterable<readonly File[]>

export interface BatchingOptions {
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** Ends it with Cancelled, also while nobody takes anything. */
  readonly signal: AbortSignal
  readonly first?: Fill
  readonly largest?: Fill
}

/**
 * Files as they are found, in batches of what there is when somebody is free to take it: the source
 * is read on meanwhile, as far as one batch. Whoever closes it early has to end the source too (its
 * signal), or waits for what is being read.
 */
export class Batching<File extends MediaFile = MediaFile> {
  readonly #clock: BatchingOptions['clock']
  readonly #largest: Fill
  readonly #reading: Promise<void>
  #fill: Fill
  #found: File[] = []
  /** When the first of what was found was found; milliseconds. */
  #since = 0
  #objects = 0
  #bytes = 0
  #total: { readonly objects: number; readonly bytes: number } | undefined
  /** Nothing more will be found. */
  #isOver = false
  #isClosed = false
  #failure: { readonly error: unknown } | undefined
  #wake: () => void = () => undefined
  #news: Promise<void> = Promise.resolve()

  constructor(
    files: Lists<File>,
    { clock, signal, first = FIRST, largest = LARGEST }: BatchingOptions,
  ) {
    this.#clock = clock
    this.#fill = first
    this.#largest = largest
    this.#tell()
    this.#reading = this.#read(files)
    signal.addEventListener('abort', () => void this.close(), { once: true })
  }

  /** Objects and bytes, once everything was found. */
  get total(): { readonly objects: number; readonly bytes: number } | undefined {
    return this.#total
  }

  /** Whether there is something to take: resolves at the first file, or at the end. */
  async any(): Promise<boolean> {
    while (this.#found.length === 0 && !this.#isOver) await this.#news
    if (this.#failure) throw this.#failure.error
    return this.#found.length > 0
  }

  /** Lists of growing size, none empty; once. */
  async *batches(): AsyncGenerator<readonly File[]> {
    try {
      while (await this.any()) {
        await this.#filled()
        const batch = this.#found.splice(0, this.#fill.files)
        const { files, ms } = this.#fill
        const [mostFiles, mostMs] = [this.#largest.files, this.#largest.ms]
        this.#fill = { files: Math.min(files * 2, mostFiles), ms: Math.min(ms * 2, mostMs) }
        this.#tell()
        yield batch
      }
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#tell()
    await this.#reading
  }

  async #read(files: Lists<File>): Promise<void> {
    try {
      for await (const list of files) {
        if (this.#isClosed) throw new Cancelled()
        if (list.length === 0) continue
        if (this.#found.length === 0) this.#since = this.#clock.now().getTime()
        for (const file of list) {
          this.#found.push(file)
          this.#bytes += file.size
        }
        this.#objects += list.length
        this.#tell()
        while (this.#isFull && !this.#isClosed) await this.#news
      }
      if (this.#isClosed) throw new Cancelled()
      this.#total = { objects: this.#objects, bytes: this.#bytes }
    } catch (error) {
      this.#failure = { error }
    } finally {
      this.#isOver = true
      this.#tell()
    }
  }

  get #isFull(): boolean {
    return this.#found.length >= this.#fill.files
  }

  /** Until the batch is full, or has waited for long enough. */
  async #filled(): Promise<void> {
    const left = this.#since + this.#fill.ms - this.#clock.now().getTime()
    if (left <= 0) return
    const stop = new AbortController()
    let isLate = false
    const late = this.#clock.sleep(left, stop.signal).catch(() => undefined)
    void late.then(() => {
      isLate = true
    })
    while (!this.#isFull && !this.#isOver && !isLate) await Promise.race([this.#news, late])
    stop.abort()
  }

  #tell(): void {
    this.#wake()
    this.#news = new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
