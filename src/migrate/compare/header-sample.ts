import { kept } from '../survey/tally.ts'

/** HEAD requests that a sample may cost. */
export const SAMPLED = 50
/** Keys that are kept of a class: the first one, and those that happen to have the least sums. */
const OF_A_CLASS = 10
const CLASSES = 64

interface Candidate {
  readonly key: string
  readonly sum: number
}

/**
 * Keys to look at more closely, the same ones in every run: of each class the first, and some spread
 * over it. Memory does not depend on how many are offered.
 */
export class HeaderSample {
  readonly #classes = new Map<string, Candidate[]>()

  offer(key: string): void {
    const name = classOf(key)
    const chosen = this.#classes.get(name)
    if (!chosen) {
      if (this.#classes.size < CLASSES) this.#classes.set(kept(name), [{ key: kept(key), sum: -1 }])
      return
    }
    const sum = sumOf(key)
    const last = chosen.at(-1)
    if (chosen.length >= OF_A_CLASS && last && sum >= last.sum) return
    const at = chosen.findIndex((one) => one.sum > sum)
    chosen.splice(at === -1 ? chosen.length : at, 0, { key: kept(key), sum })
    if (chosen.length > OF_A_CLASS) chosen.pop()
  }

  /** At most SAMPLED, as evenly from all classes as they allow. */
  keys(): string[] {
    const keys: string[] = []
    for (let round = 0; round < OF_A_CLASS; round++) {
      for (const chosen of this.#classes.values()) {
        const { key } = chosen[round] ?? {}
        if (key !== undefined && keys.length < SAMPLED) keys.push(key)
      }
    }
    return keys
  }
}

/** As Mastodon lays them out: `accounts/avatars`, `cache/accounts/avatars`. */
function classOf(key: string): string {
  let end = -1
  for (let parts = key.startsWith('cache/') ? 3 : 2; parts > 0; parts--) {
    const next = key.indexOf('/', end + 1)
    if (next === -1) break
    end = next
  }
  return key.slice(0, Math.max(end, 0))
}

/** FNV-1a, 32 bits. */
function sumOf(key: string): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < key.length; at++) sum = Math.imul(sum ^ key.charCodeAt(at), 0x01000193)
  return sum >>> 0
}
