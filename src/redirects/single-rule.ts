import type { NewRule, Rule, RulePlace } from '../services/cloudflare/rules-port.ts'
import { type OldPrefix, prefixMark, prefixName } from './old-prefix.ts'

export const SINGLE_PHASE = 'http_request_dynamic_redirect'

/** Redirect rules that the Free plan has in a zone (Cloudflare docs, rules: single redirects). */
export const FREE_RULES = 10

const REF = 'mastodon-r2-redirect-'

/** The rule for one prefix; its ref comes from the prefix, so that it is found again. */
export function singleRule(prefix: OldPrefix, mediaHost: string, status: 301 | 302): NewRule {
  const { host, path } = prefix
  const starts = path === '/' ? '' : ` and starts_with(http.request.uri.path, "${path}")`
  const rest = `substring(http.request.uri.path, ${path.length})`
  return {
    ref: `${REF}${prefixMark(prefix)}`,
    description: `mastodon-r2: ${prefixName(prefix)} to ${mediaHost}`,
    expression: `http.host eq "${host}"${starts}`,
    action: 'redirect',
    parameters: {
      from_value: {
        target_url: { expression: `concat("https://${mediaHost}/", ${rest})` },
        status_code: status,
        preserve_query_string: true,
      },
    },
    enabled: true,
  }
}

/** Made by this tool for this media host; another Mastodon may have its own in the same zone. */
export function isOurSingle({ ref, parameters }: Rule, mediaHost: string): boolean {
  const target = JSON.stringify(parameters ?? {})
  return ref?.startsWith(REF) === true && target.includes(`https://${mediaHost}/`)
}

export function zoneOf(zoneId: string): RulePlace {
  return { kind: 'zone', zoneId }
}
