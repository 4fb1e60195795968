/** Addresses that were not found, as Cloudflare's cache keeps them. */
export interface MissingMemory {
  has(address: string): boolean
  /** Kept for 3 minutes unless told; not at all for 0 or less. */
  add(address: string, seconds?: number): void
}

/** Cloudflare keeps a 404 without cache headers for 3 minutes (docs, cache: Edge Cache TTL). */
const KEEP_SECONDS = 3 * 60

/** `clock` in milliseconds. */
export function createMissingMemory(clock: () => number): MissingMemory {
  const until = new Map<string, number>()
  return {
    has(address) {
      const end = until.get(address)
      if (end !== undefined && end <= clock()) until.delete(address)
      return until.has(address)
    },
    add(address, seconds = KEEP_SECONDS) {
      if (seconds > 0) until.set(address, clock() + seconds * 1000)
    },
  }
}
