import { classOf } from '../../plan/report-schema.ts'
import type { Clock, CopySummary } from '../../plan/step.ts'
import { type Checkpoint, notedFacts, type StoredVersion } from '../../services/checkpoint/port.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'
import { CopyPace, copyLine } from './copy-line.ts'

/** After so many files, or milliseconds, what was done is noted. */
const NOTED_FILES = 100
const NOTED_MS = 500
const TOLD_MS = 250
/** Failures that are told one by one; all of them are noted. */
const MOST_TOLD = 20

export interface TallyOptions {
  readonly clock: Pick<Clock, 'now'>
  /** How much there will be, as far as it is known by now. */
  total(): { readonly objects: number; readonly bytes: number } | undefined
  /** Called once when it can't be noted what is done. */
  readonly onTrouble: () => void
}

/** Bytes of one batch: sent, and of these in files that are copied. */
interface Moving {
  sent: number
  copied: number
}

/** What a copy has done so far: for the screen, and noted in the checkpoint, never before it is true. */
export class CopyTally {
  readonly #migration: Migration
  readonly #options: TallyOptions
  readonly #startMs: number
  readonly #failedNow = new Map<string, string>()
  readonly #failed: Map<string, string>
  readonly #vanished: Set<string>
  #checkpoint: Checkpoint
  #objects = 0
  #bytes = 0
  #vanishedNow = 0
  /** Not sent, as the bucket has their content. */
  #unchanged = { objects: 0, bytes: 0 }
  readonly #moving = new Set<Moving>()
  #pending: StoredVersion[] = []
  #notedAt: number
  #toldAt = 0
  #noting: Promise<void> = Promise.resolve()
  readonly #pace = new CopyPace()
  #now: string | undefined
  #trouble: unknown

  constructor(migration: Migration, checkpoint: Checkpoint, options: TallyOptions) {
    this.#migration = migration
    this.#options = options
    this.#checkpoint = checkpoint
    this.#failed = new Map(checkpoint.failed.map(({ key, reason }) => [key, reason]))
    this.#vanished = new Set(checkpoint.vanished)
    this.#startMs = options.clock.now().getTime()
    this.#notedAt = this.#startMs
  }

  /** Keys that failed, in this run or before, and were not put right since. */
  get failed(): ReadonlyMap<string, string> {
    return this.#failed
  }

  /** Something came from this source, now or in an earlier run. */
  get hasCopied(): boolean {
    return this.#checkpoint.copied.objects + this.#objects > 0
  }

  get hasCopiedNow(): boolean {
    return this.#objects > 0
  }

  failedNow(key: string): boolean {
    return this.#failedNow.has(key)
  }

  copied({ key, size, changedAt }: MediaFile, moving?: Moving): void {
    this.#objects += 1
    this.#now = classOf(key).title
    this.#bytes += size
    if (moving) moving.copied += size
    this.#failed.delete(key)
    this.#failedNow.delete(key)
    this.#vanished.delete(key)
    this.#later({ key, changedAt })
  }

  /** The bucket has its content: nothing was sent. */
  unchanged({ key, size, changedAt }: MediaFile): void {
    this.#unchanged.objects += 1
    this.#unchanged.bytes += size
    this.#now = 'compared with the bucket'
    this.#later({ key, changedAt, isFound: true })
  }

  fail(key: string, reason: string): void {
    if (this.#failedNow.has(key)) return
    this.#failedNow.set(key, reason)
    this.#failed.set(key, reason)
    const told = this.#failedNow.size
    if (told <= MOST_TOLD) this.#migration.say(`Not copied: ${shown(key)}: ${reason}`)
    if (told === MOST_TOLD) {
      const where = this.#migration.checkpoint.path
      this.#migration.say(`Further failures are counted here, and listed in ${where}.`)
    }
    this.#tell()
  }

  vanish(key: string): void {
    this.#failedNow.delete(key)
    this.#failed.delete(key)
    if (!this.#vanished.has(key)) this.#vanishedNow += 1
    this.#vanished.add(key)
  }

  /** No longer asked for. */
  drop(key: string): void {
    this.#failed.delete(key)
  }

  /** So many bytes of a batch were sent by now. */
  moving(moving: Moving, bytes: number): void {
    moving.sent = bytes
    this.#tell()
  }

  beginBatch(): Moving {
    const moving = { sent: 0, copied: 0 }
    this.#moving.add(moving)
    return moving
  }

  endBatch(moving: Moving): void {
    this.#moving.delete(moving)
  }

  /** Resolves once everything done so far is noted. Problem `checkpoint-not-writable`. */
  async note(changes: Partial<Checkpoint> = {}): Promise<void> {
    this.#note()
    await this.#noting
    if (this.#trouble !== undefined) throw this.#trouble
    const { objects, bytes } = this.#checkpoint.copied
    const checkpoint: Checkpoint = {
      ...this.#checkpoint,
      ...(await notedFacts(this.#migration.checkpoint, this.#checkpoint)),
      failed: [...this.#failed].map(([key, reason]) => ({ key, reason })),
      vanished: [...this.#vanished],
      ...changes,
    }
    const copied = { objects: objects + this.#objects, bytes: bytes + this.#bytes }
    await this.#migration.checkpoint.write({ ...checkpoint, copied })
    this.#checkpoint = { ...checkpoint, copied: this.#checkpoint.copied }
  }

  summary(leftOut: number): CopySummary {
    const failed = [...this.#failedNow].map(([key, reason]) => ({ key, reason }))
    const [objects, bytes, unchanged] = [this.#objects, this.#bytes, this.#unchanged.objects]
    return { objects, bytes, unchanged, failed, vanished: this.#vanishedNow, leftOut }
  }

  /** To be noted with others. */
  #later(version: StoredVersion): void {
    this.#pending.push(version)
    if (this.#pending.length >= NOTED_FILES || this.#since(this.#notedAt) > NOTED_MS) this.#note()
    this.#tell()
  }

  #since(ms: number): number {
    return this.#options.clock.now().getTime() - ms
  }

  #note(): void {
    this.#notedAt = this.#options.clock.now().getTime()
    const puts = this.#pending
    if (puts.length === 0 || this.#trouble !== undefined) return
    this.#pending = []
    this.#noting = this.#noting
      .then(() => this.#migration.checkpoint.record(puts))
      .catch((error: unknown) => {
        if (this.#trouble === undefined) this.#options.onTrouble()
        this.#trouble ??= error
      })
  }

  #tell(): void {
    if (this.#since(this.#toldAt) < TOLD_MS) return
    this.#toldAt = this.#options.clock.now().getTime()
    const total = less(this.#options.total(), this.#unchanged)
    let sent = this.#bytes
    for (const { sent: bytes, copied } of this.#moving) sent += Math.max(0, bytes - copied)
    const state = {
      objects: this.#objects,
      bytes: total ? Math.min(sent, Math.max(total.bytes, this.#bytes)) : sent,
      total,
      failed: this.#failedNow.size,
      elapsedMs: this.#since(this.#startMs),
    }
    const rate = this.#pace.after(state)
    this.#migration.tell(copyLine({ ...state, rate, now: this.#now }, this.#migration.width))
  }
}

type Amount = { readonly objects: number; readonly bytes: number }

function less(total: Amount | undefined, { objects, bytes }: Amount): Amount | undefined {
  return total && { objects: total.objects - objects, bytes: total.bytes - bytes }
}

/** A name as it can be shown on one line. */
export function shown(key: string): string {
  return /^[\x21-\x7e]+$/.test(key) ? key : JSON.stringify(key)
}
