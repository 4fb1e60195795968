import type { RcloneEvent } from './output.ts'
import type { CopyListener } from './port.ts'
import { type Reason, readReason } from './reason.ts'

/** So many in a row, or of the first ones, leave no doubt. */
const REFUSALS_IN_A_ROW = 20
const REFUSALS_AT_FIRST = 5

/** Who was told what of a batch; tells each key once. */
export class Tally {
  readonly #listener: CopyListener
  readonly #pending: Set<string>
  readonly #heard = new Map<string, string>()
  readonly #remoteLimit: number
  #sentBefore = 0
  #sent = 0
  #copied = 0
  #refused = 0
  #failed = 0
  #inARow: { kind: Reason['kind']; count: number } | undefined
  /** Keys that rclone has given up so far. */
  given = 0
  lastRefusal: Reason | undefined

  constructor(keys: readonly string[], transfers: number, listener: CopyListener) {
    this.#pending = new Set(keys)
    this.#listener = listener
    // Transfers at work fail together when the network goes.
    this.#remoteLimit = Math.max(50, 2 * transfers)
  }

  /** Takes in what rclone told; gives the reason to stop it, once there is one. */
  take(event: RcloneEvent): Reason | undefined {
    if (event.is === 'moving') {
      this.#sent = event.bytes
      this.#listener.moving(this.#sentBefore + event.bytes, event.speed)
    }
    if (event.is === 'copied' && this.#pending.delete(event.key)) {
      this.#copied += 1
      this.#inARow = undefined
      this.#listener.copied(event.key)
    }
    if (event.is !== 'error' || !this.#pending.has(event.key)) return undefined
    const reason = readReason(event.message)
    if (event.final) return this.#giveUp(event.key, reason)
    this.#heard.set(event.key, reason.text)
    return undefined
  }

  #giveUp(key: string, reason: Reason): Reason | undefined {
    this.given += 1
    if (reason.kind === 'gone') this.vanished(key)
    else this.failed(key, reason.text)
    if (reason.kind === 'refused') {
      this.#refused += 1
      this.lastRefusal = reason
    }
    const count = this.#inARow?.kind === reason.kind ? this.#inARow.count + 1 : 1
    this.#inARow = { kind: reason.kind, count }
    const limit = this.#copied === 0 ? REFUSALS_AT_FIRST : REFUSALS_IN_A_ROW
    if (reason.kind === 'refused' && count >= limit) return reason
    if (reason.kind === 'remote' && count >= this.#remoteLimit) return reason
    return undefined
  }

  /** A run of rclone has ended; the next one counts its bytes from nought. */
  nextRun(): void {
    this.#sentBefore += this.#sent
    this.#sent = 0
  }

  isPending(key: string): boolean {
    return this.#pending.has(key)
  }

  /** What rclone said of a key without giving it up. */
  heard(key: string): string | undefined {
    return this.#heard.get(key)
  }

  failed(key: string, reason: string): void {
    if (!this.#pending.delete(key)) return
    this.#failed += 1
    this.#listener.failed(key, reason)
  }

  vanished(key: string): void {
    if (this.#pending.delete(key)) this.#listener.vanished(key)
  }

  /** Nothing was copied, and every failure was a refusal. */
  get onlyRefused(): boolean {
    return this.#copied === 0 && this.#refused > 0 && this.#refused === this.#failed
  }
}
