import type { Sandbox } from '../../src/sandbox/sandbox.ts'

const DAY_MS = 86_400_000

export interface StoredDay {
  readonly objects: number
  readonly bytes: number
}

interface History {
  readonly stored: StoredDay
  /** As the analytics call it; the first bucket of the sandbox unless told. */
  readonly bucket?: string
  /** What was asked on each of the last 31 days, today included. */
  readonly daily: readonly {
    readonly action: string
    readonly status: number
    readonly requests: number
  }[]
}

/** As if the account had been used like that for a month. */
export function noteDays({ world, accountId }: Sandbox, { stored, daily, ...wish }: History): void {
  const bucket = wish.bucket ?? world.buckets[0]?.name ?? ''
  const now = Date.now()
  for (let days = 30; days >= 0; days -= 1) {
    const midnight = now - (now % DAY_MS) - days * DAY_MS
    world.analytics.storage.push({ accountId, bucket, at: midnight, ...stored })
    for (const one of daily) {
      world.analytics.operations.push({ accountId, bucket, at: midnight, ...one })
    }
  }
}
