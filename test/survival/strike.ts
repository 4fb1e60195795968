import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import type { Fault, LoggedRequest } from '../../src/sandbox/world.ts'

export type Kind = keyof typeof kinds

/** What may happen to a request. */
export const kinds = {
  '401': { kind: 'status', status: 401 },
  '403': { kind: 'status', status: 403 },
  '409': { kind: 'status', status: 409 },
  '429': { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  '500': { kind: 'status', status: 500 },
  reset: { kind: 'reset' },
  hang: { kind: 'hang' },
  'applied-then-reset': { kind: 'applied-then-reset' },
  malformed: { kind: 'malformed' },
  unsuccessful: { kind: 'unsuccessful' },
} as const satisfies Record<string, Omit<Fault, 'side'>>

/** One kind of request: where it goes, without what differs from run to run. */
export interface Shape {
  readonly side: Fault['side']
  readonly method: string
  readonly path: string
}

export interface Strike extends Shape {
  readonly kind: Kind
  /** The how-manieth request of this shape, from 1. */
  readonly nth: number
  /** true: all that follow, too. */
  readonly always: boolean
}

function shapeOf({ side, method, path }: LoggedRequest): Shape {
  const bare = path
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'ID')
    .replace(/-probe(\/|%2F)[0-9a-f]+/, '-probe$1NAME')
    .replace(/uploadId=[^&]*/, 'uploadId=ID')
  return { side, method, path: bare }
}

/** Every request of a clean run, each shape as often as it was sent. */
export function requestsOf(log: readonly LoggedRequest[]): (Shape & { nth: number })[] {
  const seen = new Map<string, number>()
  return log.map((entry) => {
    const shape = shapeOf(entry)
    const nth = (seen.get(textOf(shape)) ?? 0) + 1
    seen.set(textOf(shape), nth)
    return { ...shape, nth }
  })
}

export function textOf({ side, method, path }: Shape): string {
  return `${side} ${method} ${path}`
}

/** Lets the strike happen in the sandbox instead of what was arranged before; undefined: nothing. */
export function strikeAt({ faults }: Sandbox, strike: Strike | undefined): void {
  let count = 0
  faults.take = (side, method, path) => {
    if (strike === undefined) return undefined
    const shape = shapeOf({ at: 0, side, method, path, status: 0 })
    if (textOf(shape) !== textOf(strike)) return undefined
    count += 1
    const strikes = strike.always ? count >= strike.nth : count === strike.nth
    return strikes ? { side, ...kinds[strike.kind] } : undefined
  }
}
