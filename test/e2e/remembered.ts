import type { Sandbox } from '../../src/sandbox/sandbox.ts'

/**
 * The sandbox's Cloudflare as it is now: what is given back puts it there again, with no fault and
 * an empty cache. What lies in the buckets stays.
 */
export function remember({ world, faults }: Pick<Sandbox, 'world' | 'faults'>): () => void {
  world.edge.cached.clear()
  world.edge.missing.clear()
  const kept = structuredClone(world)
  return () => {
    faults.clear()
    putBack(world, structuredClone(kept))
  }
}

/** In place: the parts of a sandbox share the object. */
function putBack(now: object, was: object): void {
  if (Array.isArray(now)) {
    now.splice(0, now.length, ...(was as unknown[]))
    return
  }
  if (now instanceof Map || now instanceof Set) now.clear()
  if (now instanceof Set) for (const value of was as Set<unknown>) now.add(value)
  for (const [name, value] of Object.entries(was)) {
    const other: unknown = now[name as keyof typeof now]
    if (typeof other === 'object' && other !== null) putBack(other, value)
    else Object.assign(now, { [name]: value })
  }
}
