import type { OutgoingHttpHeaders } from 'node:http'
import { isRecord } from './record.ts'
import { type EdgeAt, matchingRules } from './rules.ts'
import type { Visit } from './vocabulary.ts'

/** The headers of an answer after the response header rules; `visit.code` is its status. */
export function responseHeaders(
  at: EdgeAt,
  visit: Visit,
  headers: OutgoingHttpHeaders,
): OutgoingHttpHeaders {
  const changed = { ...headers }
  for (const rule of matchingRules(at, 'http_response_headers_transform', visit)) {
    const operations = isRecord(rule.parameters.headers) ? rule.parameters.headers : {}
    for (const [name, operation] of Object.entries(operations)) {
      if (isRecord(operation)) apply(changed, name.toLowerCase(), operation)
    }
  }
  return changed
}

function apply(
  headers: OutgoingHttpHeaders,
  name: string,
  { operation, value }: Readonly<Record<string, unknown>>,
): void {
  const before = headers[name]
  delete headers[name]
  if (operation === 'remove') return
  const added = operation === 'add' && before !== undefined
  headers[name] = added ? [before, String(value)].flat().map(String) : String(value)
}
