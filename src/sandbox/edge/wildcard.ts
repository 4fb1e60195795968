import { RuleLanguageError } from './rule-language-error.ts'

/** A wildcard pattern as Cloudflare reads it: the whole text, lazily, `\*` is a star. */
export function wildcard(pattern: string, caseSensitive: boolean): RegExp {
  if (/(?<!\\)\*\*/.test(pattern)) throw new RuleLanguageError('a wildcard must not hold **')
  const source = pattern.replaceAll(/\\([*\\])|\*|[^*\\]+|\\/g, (part, escaped?: string) => {
    if (escaped !== undefined) return `\\${escaped}`
    if (part === '*') return '(.*?)'
    if (part === '\\') throw new RuleLanguageError('a wildcard holds a lone backslash')
    return part.replaceAll(/[.+?^${}()|[\]/]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, caseSensitive ? 'su' : 'isu')
}

/** `source` unless the pattern fits; `${1}` in the replacement is what the first star stood for. */
export function wildcardReplace(
  source: string,
  pattern: string,
  replacement: string,
  flags = '',
): string {
  const match = wildcard(pattern, flags === 's').exec(source)
  if (match === null) return source
  return replacement.replaceAll(/\$\$|\$\{(\d+)\}/g, (part, number?: string) => {
    if (number === undefined) return part.slice(1)
    const found = match[Number(number)]
    if (found === undefined || number === '0') {
      throw new RuleLanguageError(`the pattern has no star ${number}`)
    }
    return found
  })
}
