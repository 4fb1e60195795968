import type { NewRule, Rule } from '../services/cloudflare/rules-port.ts'

/** Whether the rule does what is wanted; Cloudflare may add parameters of its own. */
export function isSameRule(known: Rule, wanted: NewRule): boolean {
  return (
    known.enabled === wanted.enabled &&
    known.action === wanted.action &&
    plain(known.expression) === plain(wanted.expression) &&
    holds(known.parameters ?? {}, wanted.parameters ?? {})
  )
}

/** Without the parentheses around the whole and with single spaces, as the dashboard may write it. */
function plain(expression: string): string {
  const spaced = expression.trim().replaceAll(/\s+/g, ' ')
  const inner = /^\(([^()]*)\)$/.exec(spaced)?.[1]
  return inner ?? spaced
}

function holds(known: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(known) &&
      known.length === wanted.length &&
      wanted.every((item, index) => holds(known[index], item))
    )
  }
  if (typeof wanted !== 'object' || wanted === null) return known === wanted
  if (typeof known !== 'object' || known === null) return false
  const named = new Map(Object.entries(known).map(([name, value]) => [name.toLowerCase(), value]))
  return Object.entries(wanted).every(([name, value]) =>
    holds(named.get(name.toLowerCase()), value),
  )
}
