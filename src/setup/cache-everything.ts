import type { EdgeRule } from './edge-rule.ts'

/** Do not store at all (docs, cache: cache rules settings). */
const NO_STORE = -1

/**
 * By default Cloudflare caches by extension, without MOV, M4A, WAV and others, and it keeps a 404
 * for three minutes (docs, cache: default cache behavior, edge TTL).
 */
export const cacheEverything: EdgeRule = {
  id: 'cache-everything',
  title: 'Cache rule',
  phase: 'http_request_cache_settings',
  permission: 'cache-rules',
  does: 'cache every kind of media, as long as its own Cache-Control says, and no 404: fewer paid reads, and a file that comes late is seen at once',
  ready: 'every kind of media is cached, no 404',
  of: ({ mediaHost }) => ({
    expression: `http.host eq "${mediaHost}"`,
    action: 'set_cache_settings',
    parameters: {
      cache: true,
      edge_ttl: {
        mode: 'respect_origin',
        status_code_ttl: [{ status_code: 404, value: NO_STORE }],
      },
      browser_ttl: { mode: 'respect_origin' },
    },
  }),
}
