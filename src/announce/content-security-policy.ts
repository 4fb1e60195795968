/** Directives of one Content-Security-Policy, by name in small letters. */
export type ContentSecurityPolicy = ReadonlyMap<string, readonly string[]>

/** Several headers, or several policies in one, all hold at the same time. */
export function readPolicies(headers: readonly string[]): ContentSecurityPolicy[] {
  return headers
    .flatMap((header) => header.split(','))
    .filter((policy) => policy.trim() !== '')
    .map((policy) => {
      const directives = new Map<string, readonly string[]>()
      for (const directive of policy.split(';')) {
        const [name = '', ...sources] = directive.trim().split(/\s+/)
        const key = name.toLowerCase()
        // Of two directives of one name browsers take the first (W3C CSP3, 2.2.1).
        if (key !== '' && !directives.has(key)) directives.set(key, sources)
      }
      return directives
    })
}

/** Those of the directives by which some policy refuses files of `https://host`. */
export function refusedBy(
  policies: readonly ContentSecurityPolicy[],
  names: readonly string[],
  host: string,
): string[] {
  return names.filter((name) =>
    policies.some((policy) => {
      const sources = policy.get(name) ?? policy.get('default-src')
      return sources !== undefined && !sources.some((source) => covers(source, host))
    }),
  )
}

/** A source that names a path covers only files below it, so it counts for none but `/`. */
function covers(source: string, host: string): boolean {
  const text = source.toLowerCase()
  if (text === '*' || text === 'https:') return true
  const [, scheme, name = '', port, path = ''] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/:']+)(?::(\d+|\*))?(\/.*)?$/.exec(text) ?? []
  // http: covers https:, too (CSP3, 6.7.2.8).
  if (scheme !== undefined && scheme !== 'https' && scheme !== 'http') return false
  if (
    port !== undefined &&
    port !== '443' &&
    port !== '*' &&
    !(scheme === 'http' && port === '80')
  ) {
    return false
  }
  if (path !== '' && path !== '/') return false
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : name === host
}
