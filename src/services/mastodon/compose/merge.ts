export type Dict = Record<string, unknown>

export function isDict(value: unknown): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Told where compose itself would refuse to merge. */
type Refuse = (reason: string) => void

/** Lists of a service that may be written as a map or a single text, too (merge.go of compose-go). */
const SEQUENCES = ['environment', 'env_file', 'labels', 'dns', 'dns_search', 'tmpfs']
const REPLACED = ['command', 'entrypoint']

/** `over` on top of `base`, as compose merges the services of several files and `extends`. */
export function mergeService(base: Dict, over: Dict, refuse: Refuse): Dict {
  const merged: Dict = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const before = base[key]
    if (!(key in base) || REPLACED.includes(key)) merged[key] = value
    else if (SEQUENCES.includes(key)) merged[key] = [...asSequence(before), ...asSequence(value)]
    else if (key === 'depends_on' || key === 'networks' || key === 'build') merged[key] = value
    else merged[key] = mergeValue(before, value, key, refuse)
  }
  return uniqueLists(merged)
}

function mergeValue(base: unknown, over: unknown, where: string, refuse: Refuse): unknown {
  if (over === null || over === undefined) return base
  if (isDict(base)) {
    if (!isDict(over)) return refused(base, where, refuse)
    const merged: Dict = { ...base }
    for (const [key, value] of Object.entries(over)) {
      merged[key] = key in base ? mergeValue(base[key], value, `${where}.${key}`, refuse) : value
    }
    return merged
  }
  if (!Array.isArray(base)) return over
  return Array.isArray(over) ? [...base, ...over] : refused(base, where, refuse)
}

function refused(base: unknown, where: string, refuse: Refuse): unknown {
  refuse(`${where} is written in two forms that can't be merged`)
  return base
}

/** `KEY=value`, or `KEY` alone where the map has no value; a map is in the order of its keys. */
export function asSequence(value: unknown): unknown[] {
  if (isDict(value)) {
    return Object.entries(value)
      .map(([key, one]) => (one === null ? key : `${key}=${String(one)}`))
      .toSorted((a, b) => (a < b ? -1 : 1))
  }
  return value === null || value === undefined ? [] : [value].flat()
}

type Indexer = (entry: unknown) => string | undefined

/** Of two entries for the same thing the last counts, in the place of the first (uncity.go). */
export function uniqueLists(service: Dict): Dict {
  const lists: readonly (readonly [string, Indexer])[] = [
    ['environment', (entry) => String(entry).replace(/=.*/s, '')],
    ['env_file', (entry) => (isDict(entry) ? String(entry.path) : String(entry))],
    ['volumes', (entry) => (isDict(entry) ? String(entry.target) : volumeParts(String(entry))[1])],
  ]
  const unique: Dict = { ...service }
  for (const [key, indexOf] of lists) {
    const list = service[key]
    if (!Array.isArray(list)) continue
    const found = new Map<string | undefined, unknown>()
    for (const entry of list) found.set(indexOf(entry), entry)
    unique[key] = [...found.values()]
  }
  return unique
}

/** `source:target:options`, or a target alone. */
export function volumeParts(text: string): [source: string, target: string] {
  const [first = '', second] = text.split(':')
  return second === undefined ? ['', first] : [first, second]
}

/** Everything that `dropped` names is taken away. */
export function drop(services: Dict, dropped: readonly (readonly string[])[]): void {
  for (const [top, ...path] of dropped) {
    const last = path.at(-1)
    if (top !== 'services' || last === undefined) continue
    let at: unknown = services
    for (const key of path.slice(0, -1)) at = isDict(at) ? at[key] : undefined
    if (isDict(at)) delete at[last]
  }
}
