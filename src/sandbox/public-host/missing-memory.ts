/** Addresses that were not found, as Cloudflare's cache keeps them. */
export interface MissingMemory {
  has(address: string): boolean
  add(address: string): void
}

/** Cloudflare keeps a 404 without cache headers for 3 minutes (docs, cache: Edge Cache TTL). */
const KEEP_MS = 3 * 60_000

/** `clock` in milliseconds. */
export function createMissingMemory(clock: () => number): MissingMemory {
  const until = new Map<string, number>()
  return {
    has(address) {
      const end = until.get(address)
      if (end !== undefined && end <= clock()) until.delete(address)
      return until.has(address)
    },
    add(address) {
      until.set(address, clock() + KEEP_MS)
    },
  }
}
