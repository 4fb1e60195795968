/** A way round a directed graph, e.g. `['a', 'b', 'a']`; undefined when there is none. */
export function findCycle(edges: readonly (readonly [string, string])[]): string[] | undefined {
  const next = new Map<string, Set<string>>()
  for (const [from, to] of edges) next.set(from, (next.get(from) ?? new Set()).add(to))
  const done = new Set<string>()
  const walk = (at: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(at)) return [...path.slice(path.indexOf(at)), at]
    if (done.has(at)) return undefined
    for (const to of next.get(at) ?? []) {
      const cycle = walk(to, [...path, at])
      if (cycle) return cycle
    }
    done.add(at)
    return undefined
  }
  for (const start of next.keys()) {
    const cycle = walk(start, [])
    if (cycle) return cycle
  }
  return undefined
}
