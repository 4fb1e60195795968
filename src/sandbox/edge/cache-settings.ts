import { isRecord } from './record.ts'
import { type EdgeAt, matchingRules } from './rules.ts'
import type { Visit } from './vocabulary.ts'

/** What the cache rules say about a visit. */
export interface CacheSettings {
  /** true: kept whatever its extension; false: never; undefined: as by default. */
  readonly cache: boolean | undefined
  /** Seconds that an answer of that status is kept: 0 or less for not at all, undefined: default. */
  keepSeconds(status: number): number | undefined
}

/** All rules that fit count; a later one overrides what an earlier one set. */
export function cacheSettings(at: EdgeAt, visit: Visit): CacheSettings {
  const rules = matchingRules(at, 'http_request_cache_settings', visit)
  const merged: Record<string, unknown> = Object.assign(
    {},
    ...rules.map(({ parameters }) => parameters),
  )
  const edge = isRecord(merged.edge_ttl) ? merged.edge_ttl : {}
  const byStatus = Array.isArray(edge.status_code_ttl) ? edge.status_code_ttl.filter(isRecord) : []
  return {
    cache: typeof merged.cache === 'boolean' ? merged.cache : undefined,
    keepSeconds(status) {
      const found = byStatus.find((entry) => covers(entry, status))
      if (found) return Number(found.value)
      return edge.mode === 'override_origin' ? Number(edge.default) : undefined
    },
  }
}

function covers(entry: Readonly<Record<string, unknown>>, status: number): boolean {
  if (entry.status_code !== undefined) return entry.status_code === status
  const range = isRecord(entry.status_code_range) ? entry.status_code_range : {}
  return status >= Number(range.from ?? 0) && status <= Number(range.to ?? 999)
}
