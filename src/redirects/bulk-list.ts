import type { CloudflarePort } from '../services/cloudflare/port.ts'
import type {
  NewRedirect,
  NewRule,
  Redirect,
  RedirectList,
  Rule,
  RulePlace,
} from '../services/cloudflare/rules-port.ts'
import { type OldPrefix, prefixName } from './old-prefix.ts'

export const BULK_PHASE = 'http_request_redirect'

/** One list of the account for every Mastodon in it. */
export const BULK_LIST = 'mastodon_r2_redirects'

/** Lists and URLs that the Free plan has in an account (Cloudflare docs, rules: bulk redirects). */
export const FREE_LISTS = 5
export const FREE_BULK_RULES = 15

export const bulkRule: NewRule = {
  ref: 'mastodon-r2-bulk-redirects',
  description: `mastodon-r2: redirects of the list ${BULK_LIST}`,
  expression: `http.request.full_uri in $${BULK_LIST}`,
  action: 'redirect',
  parameters: { from_list: { name: BULK_LIST, key: 'http.request.full_uri' } },
  enabled: true,
}

/** What is there of ours. */
export interface BulkState {
  readonly lists: number
  readonly rules: number
  readonly list: RedirectList | undefined
  readonly items: readonly Redirect[]
  readonly rule: Rule | undefined
}

/** Without a scheme it fits http and https. */
export function bulkRedirect(prefix: OldPrefix, mediaHost: string, status: 301 | 302): NewRedirect {
  return {
    sourceUrl: prefixName(prefix),
    targetUrl: `https://${mediaHost}/`,
    status,
    comment: `mastodon-r2: media is at ${mediaHost}`,
  }
}

export async function lookAtBulk(
  cloudflare: Pick<CloudflarePort, 'listRedirectLists' | 'listRedirects' | 'listRules'>,
  accountId: string,
): Promise<BulkState> {
  const [lists, rules] = await Promise.all([
    cloudflare.listRedirectLists(accountId),
    cloudflare.listRules(inAccount(accountId), BULK_PHASE),
  ])
  const list = lists.find(({ name }) => name === BULK_LIST)
  const items = list ? await cloudflare.listRedirects(accountId, list.id) : []
  const rule = rules.find(({ ref }) => ref === bulkRule.ref)
  return { lists: lists.length, rules: rules.length, list, items, rule }
}

/** The item of this prefix, whatever it leads to; Cloudflare may add a scheme or a slash. */
export function itemOf(items: readonly Redirect[], prefix: OldPrefix): Redirect | undefined {
  return items.find(({ sourceUrl }) => plain(sourceUrl) === plain(prefixName(prefix)))
}

export function isSameRedirect(known: Redirect | undefined, wanted: NewRedirect): boolean {
  return (
    known !== undefined &&
    plain(known.targetUrl) === plain(wanted.targetUrl) &&
    known.status === wanted.status &&
    known.subpathMatching &&
    known.preservePathSuffix &&
    known.preserveQueryString
  )
}

/** Leads to this media host; what leads elsewhere is another Mastodon's, or a person's. */
export function isOurItem({ targetUrl, comment }: Redirect, mediaHost: string): boolean {
  return plain(targetUrl) === mediaHost && comment.startsWith('mastodon-r2: ')
}

/** These items; rule and list only when nothing else is in the list. The rule goes first. */
export async function takeFromBulk(
  cloudflare: CloudflarePort,
  accountId: string,
  isOurs: (item: Redirect) => boolean,
): Promise<void> {
  const { list, items, rule } = await lookAtBulk(cloudflare, accountId)
  const ours = items.filter(isOurs)
  const isEmptied = ours.length === items.length
  if (rule && isEmptied) await cloudflare.removeRule(inAccount(accountId), BULK_PHASE, rule.id)
  if (!list) return
  const ids = ours.map(({ id }) => id)
  if (ids.length > 0) await cloudflare.removeRedirects(accountId, list.id, ids)
  if (isEmptied) await cloudflare.deleteRedirectList(accountId, list.id)
}

export function inAccount(accountId: string): RulePlace {
  return { kind: 'account', accountId }
}

function plain(url: string): string {
  return url
    .replace(/^https?:\/\//i, '')
    .replace(/\/$/, '')
    .toLowerCase()
}
