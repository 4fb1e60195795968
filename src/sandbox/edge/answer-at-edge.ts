import { bulkTarget } from './bulk-redirect.ts'
import { isRecord } from './record.ts'
import { type EdgeAt, listsFor, matchingRules, valueFor } from './rules.ts'
import type { SandboxRule } from './state.ts'
import type { Visit } from './vocabulary.ts'

/** What Cloudflare answers by itself, before the origin is asked. */
export type EdgeAnswer =
  | { readonly is: 'redirect'; readonly status: number; readonly location: string }
  | { readonly is: 'blocked' }

/**
 * Redirects and blocks in the order of Cloudflare's phases: single redirects, custom rules, bulk
 * redirects. Throws RuleLanguageError for a rule that the sandbox does not evaluate.
 */
export function answerAtEdge(at: EdgeAt, visit: Visit): EdgeAnswer | undefined {
  const [single] = matchingRules(at, 'http_request_dynamic_redirect', visit)
  if (single) return singleRedirect(at, single, visit)
  if (matchingRules(at, 'http_request_firewall_custom', visit).length > 0) return { is: 'blocked' }
  for (const rule of matchingRules(at, 'http_request_redirect', visit)) {
    const answer = bulkRedirect(at, rule, visit)
    if (answer) return answer
  }
  return undefined
}

function singleRedirect(at: EdgeAt, rule: SandboxRule, visit: Visit): EdgeAnswer {
  const { from_value: from } = rule.parameters
  const value = isRecord(from) ? from : {}
  const target = isRecord(value.target_url) ? value.target_url : {}
  const phase = 'http_request_dynamic_redirect'
  const url =
    typeof target.expression === 'string'
      ? valueFor(at, phase, rule, target.expression, 'text', visit)
      : String(target.value)
  const keeps = value.preserve_query_string === true && visit.query !== ''
  const location = keeps ? `${String(url).split('?')[0]}?${visit.query}` : String(url)
  return { is: 'redirect', status: Number(value.status_code ?? 302), location }
}

function bulkRedirect(
  at: EdgeAt,
  { parameters }: SandboxRule,
  { host, path, query }: Visit,
): EdgeAnswer | undefined {
  const name = isRecord(parameters.from_list) ? String(parameters.from_list.name) : ''
  const url = `https://${host}${path}${query === '' ? '' : `?${query}`}`
  const found = bulkTarget(listsFor(at, host), name, url)
  return found && { is: 'redirect', ...found }
}
