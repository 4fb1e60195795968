import type { Fault } from './world.ts'

export interface Faults {
  add(fault: Fault): void
  /** The faults that have not struck as often as they should, oldest first. */
  list(): readonly Fault[]
  clear(): void
  /** The fault for this request, if any. Asking counts: `after` and `times` run down. */
  take(side: Fault['side'], method: string, path: string): Fault | undefined
}

/** Faults waiting for requests. Where several match, the oldest one that is due strikes. */
export function createFaults(): Faults {
  let waiting: { fault: Fault; passes: number; strikes: number }[] = []
  return {
    add(fault) {
      waiting.push({ fault, passes: fault.after ?? 0, strikes: fault.times ?? 1 })
    },
    list: () => waiting.map((entry) => entry.fault),
    clear() {
      waiting = []
    },
    take(side, method, path) {
      for (const entry of waiting) {
        if (!matches(entry.fault, side, method, path)) continue
        if (entry.passes > 0) {
          entry.passes -= 1
          continue
        }
        entry.strikes -= 1
        waiting = waiting.filter(({ strikes }) => strikes > 0)
        return entry.fault
      }
      return undefined
    },
  }
}

function matches(fault: Fault, side: Fault['side'], method: string, path: string): boolean {
  return (
    fault.side === side &&
    (fault.method === undefined || fault.method.toUpperCase() === method.toUpperCase()) &&
    (fault.path === undefined || path.includes(fault.path))
  )
}
