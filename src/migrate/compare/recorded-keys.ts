import type { CheckpointPort } from '../../services/checkpoint/port.ts'
import { kept } from '../survey/tally.ts'

/** Keys that are asked for at once: each time the whole record is read. */
const ASKED_AT_ONCE = 50_000

type Told<Item> = (key: string, item: Item, recorded: boolean) => void

/** Tells of keys, many at a time, whether this migration put them into the bucket. */
export class RecordedKeys<Item> {
  readonly #checkpoint: CheckpointPort
  readonly #tell: Told<Item>
  readonly #waiting = new Map<string, Item>()

  constructor(checkpoint: CheckpointPort, tell: Told<Item>) {
    this.#checkpoint = checkpoint
    this.#tell = tell
  }

  add(key: string, item: Item): void {
    this.#waiting.set(kept(key), item)
  }

  get full(): boolean {
    return this.#waiting.size >= ASKED_AT_ONCE
  }

  /** Tells of all that were added. Throws what the checkpoint throws. */
  async ask(): Promise<void> {
    if (this.#waiting.size === 0) return
    const recorded = await this.#checkpoint.recorded(new Set(this.#waiting.keys()))
    for (const [key, item] of this.#waiting) this.#tell(key, item, recorded.has(key))
    this.#waiting.clear()
  }
}
