import { randomBytes } from 'node:crypto'
import { readSource } from '../edge/bulk-redirect.ts'
import type { SandboxRedirect } from '../edge/state.ts'
import { Refusal } from './refusal.ts'
import { isObject, type JsonObject } from './request.ts'

const keys = [
  ...['source_url', 'target_url', 'status_code', 'include_subdomains', 'subpath_matching'],
  ...['preserve_query_string', 'preserve_path_suffix'],
]
const statuses = [301, 302, 307, 308] as const

/** The redirects in a body, each with a new id; refused as a whole when one is wrong. */
export function readRedirects(body: unknown, now: number): SandboxRedirect[] {
  if (!Array.isArray(body)) throw new Refusal('list-items', 'a list is needed')
  const items = body.map((item: unknown) => readItem(item, now))
  const sources = new Set(items.map(({ sourceUrl }) => sourceUrl))
  if (sources.size < items.length) throw new Refusal('list-items', 'a source URL comes twice')
  return items
}

function readItem(item: unknown, now: number): SandboxRedirect {
  if (!isObject(item) || !isObject(item.redirect)) throw bad('an item needs a redirect')
  const { redirect, comment } = item
  const unknown = Object.keys(redirect).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw bad(`${unknown} is not known`)
  const { source_url: sourceUrl, target_url: targetUrl, status_code = 301 } = redirect
  const status = statuses.find((one) => one === status_code)
  if (status === undefined) throw bad('status_code')
  const subpathMatching = flag(redirect, 'subpath_matching', false)
  const preserveQueryString = flag(redirect, 'preserve_query_string', false)
  const source = typeof sourceUrl === 'string' ? readSource(sourceUrl) : undefined
  if (typeof sourceUrl !== 'string' || source === undefined) {
    throw bad('a source URL has a host and a path, no port, query or fragment')
  }
  if (subpathMatching && source.path.split('/').length - 1 > 16) {
    throw bad('a source path with subpath matching has at most 16 slashes')
  }
  if (typeof targetUrl !== 'string' || !/^https?:\/\/[^/\s]+/.test(targetUrl)) {
    throw bad('a target URL is not valid')
  }
  if (preserveQueryString && targetUrl.includes('?')) throw bad('the target URL has a query')
  if (comment !== undefined && typeof comment !== 'string') throw bad('comment')
  return {
    id: randomBytes(16).toString('hex'),
    sourceUrl,
    targetUrl,
    status,
    subpathMatching,
    preserveQueryString,
    // Cloudflare's docs and its API description name different defaults: it has to be told.
    preservePathSuffix: flag(redirect, 'preserve_path_suffix'),
    includeSubdomains: flag(redirect, 'include_subdomains', false),
    comment,
    createdAt: now,
  }
}

function flag(redirect: JsonObject, name: string, fallback?: boolean): boolean {
  const value = redirect[name] ?? fallback
  if (typeof value !== 'boolean') throw bad(`${name} must be true or false`)
  return value
}

function bad(reason: string): Refusal {
  return new Refusal('list-items', reason)
}
