import type { Clock } from '../../plan/step.ts'
import type { MediaFile } from '../../services/media/port.ts'
import { SENT_IN_PARTS } from '../../services/rclone/port.ts'
import { Probe } from '../latency.ts'
import type { Migration } from '../migration.ts'
import { copyBatch } from './batch.ts'
import type { CopyTally } from './tally.ts'

/** Fewer are all under way at once anyway. */
const WORTH_MEASURING = 256

export interface LanesOptions {
  readonly clock: Pick<Clock, 'sleep'>
  /** Where it was begun to ask how long an answer takes. */
  readonly probe?: Probe | undefined
  /** Ends both lanes. */
  readonly signal: AbortSignal
  /** Called when the lane of the large files fails, so that the other one ends. */
  readonly onTrouble: () => void
}

/**
 * Two lanes: files that are sent in parts go beside the small ones, a few at a time, so that neither
 * waits for the other. With a number of transfers or a rate that was asked for they come after the small
 * ones: together they would be more than that.
 */
export class Lanes {
  readonly #migration: Migration
  readonly #tally: CopyTally
  readonly #options: LanesOptions
  #probe: Probe | undefined
  #large: MediaFile[] = []
  #running: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(migration: Migration, tally: CopyTally, options: LanesOptions) {
    this.#migration = migration
    this.#tally = tally
    this.#options = options
    this.#probe = options.probe
  }

  /** Asks the bucket how long an answer takes, beside what is done meanwhile. */
  measure(): void {
    if (this.#isAsked) return
    this.#probe ??= new Probe(this.#migration, this.#options.clock)
  }

  /** Resolves once the small files of a batch are copied. */
  async copy(batch: readonly MediaFile[]): Promise<void> {
    const small = batch.filter(({ size }) => size <= SENT_IN_PARTS)
    this.#large.push(...batch.filter(({ size }) => size > SENT_IN_PARTS))
    if (!this.#isLimited) this.#start()
    if (small.length >= WORTH_MEASURING) this.measure()
    await this.#probe?.answered
    const latencyMs = this.#probe?.ms
    try {
      await copyBatch(this.#migration, small, this.#tally, this.#options.signal, { latencyMs })
    } catch (error) {
      throw this.#failure ? this.#failure.error : error
    }
  }

  /** Resolves once the large files are copied, too. */
  async finish(): Promise<void> {
    this.#start()
    await this.ended()
    if (this.#failure) throw this.#failure.error
  }

  /** Resolves once nothing is under way any more; never rejects. */
  async ended(): Promise<void> {
    await this.#running
  }

  get #isAsked(): boolean {
    return this.#migration.wishes.transfers !== undefined
  }

  get #isLimited(): boolean {
    return this.#isAsked || this.#migration.wishes.bwlimit !== undefined
  }

  #start(): void {
    if (this.#large.length > 0) this.#running ??= this.#copyLarge()
  }

  async #copyLarge(): Promise<void> {
    try {
      while (this.#large.length > 0) {
        const batch = this.#large.splice(0)
        await copyBatch(this.#migration, batch, this.#tally, this.#options.signal, {
          isLarge: true,
        })
      }
    } catch (error) {
      this.#failure = { error }
      this.#options.onTrouble()
    } finally {
      this.#running = undefined
    }
  }
}
