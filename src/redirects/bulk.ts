import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import {
  type CloudflarePort,
  type NewRedirect,
  type NewRule,
  permissionNames,
  type Redirect,
  type RedirectList,
  type Rule,
  type RulePlace,
} from '../services/cloudflare/port.ts'
import { isSameRule } from '../setup/edge-rules.ts'
import { ledAlready, ledFault, proveRedirect } from './known-media.ts'
import { granted, type OldPrefix, prefixName, type Redirecting } from './redirecting.ts'

const BULK_PHASE = 'http_request_redirect'

/** One list of the account for every Mastodon in it. */
export const BULK_LIST = 'mastodon_r2_redirects'

/** Lists and URLs that the Free plan has in an account (Cloudflare docs, rules: bulk redirects). */
const FREE_LISTS = 5
const FREE_BULK_RULES = 15

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

function isSameRedirect(known: Redirect | undefined, wanted: NewRedirect): boolean {
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

function inAccount(accountId: string): RulePlace {
  return { kind: 'account', accountId }
}

function plain(url: string): string {
  return url
    .replace(/^https?:\/\//i, '')
    .replace(/\/$/, '')
    .toLowerCase()
}

type Needs = 'cloudflare' | 'web' | 'connectS3' | 'clock' | 'place'
type At = Pick<World, Needs>

/**
 * One list of the account with an item for each prefix, and the rule that puts it to use. Begins
 * with 302, is proven by known files, and becomes permanent only then.
 */
export function bulkRedirects(
  redirecting: Redirecting,
  prefixes: readonly OldPrefix[],
  /** Of the zones that the prefixes are in. */
  accountId: string,
): Step<Needs> {
  const { mediaHost, status } = redirecting
  let ruleTaken = false

  const ask = <T>(call: () => Promise<T>) =>
    granted([permissionNames['redirect-lists'], permissionNames['bulk-redirects']], call)
  const stateOf = ({ cloudflare }: At) => ask(() => lookAtBulk(cloudflare, accountId))
  const wanted = (prefix: OldPrefix, code: 301 | 302) => bulkRedirect(prefix, mediaHost, code)
  const hasRule = ({ rule }: BulkState) =>
    rule !== undefined && (isSameRule(rule, bulkRule) || (ruleTaken && rule.enabled))
  /** Those whose item is not as it should be in the end. */
  const open = ({ items }: BulkState, among: readonly OldPrefix[]) =>
    among.filter((prefix) => !isSameRedirect(itemOf(items, prefix), wanted(prefix, status)))

  /** All of them lead to the media host by this list, be it with 302 yet. */
  const isMade = (state: BulkState, mine: readonly OldPrefix[]) =>
    hasRule(state) &&
    mine.every((prefix) => {
      const item = itemOf(state.items, prefix)
      return ([301, 302] as const).some((code) => isSameRedirect(item, wanted(prefix, code)))
    })

  /** Without those that lead to the media host by something else, which comes before a list. */
  async function mineOf(at: At, { items }: BulkState): Promise<readonly OldPrefix[]> {
    const mine = await Promise.all(
      prefixes.map(async (prefix) => {
        if (itemOf(items, prefix)) return [prefix]
        return (await ledAlready(at, redirecting, prefix)) === undefined ? [prefix] : []
      }),
    )
    return mine.flat()
  }

  async function firstFault(at: At, mine: readonly OldPrefix[]): Promise<string | undefined> {
    for (const prefix of mine) {
      const fault = await ledFault(at, redirecting, prefix, status)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  /** An item can't be changed, so the old one goes first. */
  async function put(at: At, some: readonly OldPrefix[], code: 301 | 302): Promise<void> {
    if (some.length === 0) return
    const { cloudflare } = at
    await ask(async () => {
      const { list, items } = await lookAtBulk(cloudflare, accountId)
      const about = 'Old media addresses that lead to the media host; kept by mastodon-r2'
      const own = list ?? (await cloudflare.createRedirectList(accountId, BULK_LIST, about))
      const wishes = some
        .map((prefix) => ({ item: itemOf(items, prefix), wish: wanted(prefix, code) }))
        .filter(({ item, wish }) => !isSameRedirect(item, wish))
      if (wishes.length === 0) return
      const stale = wishes.flatMap(({ item }) => (item ? [item.id] : []))
      if (stale.length > 0) await cloudflare.removeRedirects(accountId, own.id, stale)
      const fresh = wishes.map(({ wish }) => wish)
      await cloudflare.addRedirects(accountId, own.id, fresh)
    })
  }

  async function putRule(at: At, { rule }: BulkState): Promise<void> {
    const place = inAccount(accountId)
    await ask(() =>
      rule
        ? at.cloudflare.changeRule(place, BULK_PHASE, rule.id, bulkRule)
        : at.cloudflare.addRule(place, BULK_PHASE, bulkRule),
    )
    ruleTaken = true
  }

  async function prove(at: At, some: readonly OldPrefix[], code: number): Promise<void> {
    for (const prefix of some) await proveRedirect(at, redirecting, prefix, code)
  }

  /** Items that this run put in; rule and list stay when others use them. */
  async function takeBack({ cloudflare }: At, some: readonly OldPrefix[]): Promise<void> {
    await takeFromBulk(cloudflare, accountId, (item) =>
      some.some((prefix) => itemOf([item], prefix) !== undefined),
    ).catch((error) => {
      if (!(error instanceof Problem)) throw error
    })
  }

  return {
    id: 'bulk-redirects',
    title: 'Bulk redirects',

    async look(at): Promise<Finding> {
      const state = await stateOf(at)
      const mine = await mineOf(at, state)
      if (mine.length === 0) {
        const note = `all of them lead to https://${mediaHost}/ already, by other rules`
        return { is: 'ready', note: `${note}; nothing is added` }
      }
      const left = open(state, mine)
      const isThere = left.length === 0 && hasRule(state)
      const fault = isThere ? await firstFault(at, mine) : ''
      if (fault === undefined) {
        const names = mine.map(prefixName).join(', ')
        return { is: 'ready', note: `${names}: to https://${mediaHost}/ with ${status}, seen` }
      }
      const problem = isMade(state, mine) ? undefined : await redirecting.notYet?.()
      if (problem) return { is: 'blocked', problem }
      const again = { what: `see again whether they work; just now: ${fault}`, risk: 'public' }
      const changes = fault === '' ? changesOf(state, left) : [again]
      return {
        is: 'change',
        changes: changes.map(({ what }) => ({ what, risk: 'public' })),
        warnings: warningsOf(state),
      }
    },

    async change(at) {
      const state = await stateOf(at)
      const mine = await mineOf(at, state)
      const problem =
        (await redirecting.known.fault(at)) ??
        (isMade(state, mine) ? undefined : await redirecting.notYet?.())
      if (problem) throw problem
      const left = open(state, mine)
      const fresh = left.filter((prefix) => itemOf(state.items, prefix) === undefined)
      await put(at, left, 302)
      if (!hasRule(state)) await putRule(at, state)
      try {
        await prove(at, left, 302)
      } catch (error) {
        if (error instanceof Problem) await takeBack(at, fresh)
        throw error
      }
      if (status === 301) await put(at, left, 301)
      await prove(at, mine, status)
      return {}
    },
  }

  function changesOf(state: BulkState, left: readonly OldPrefix[]): { what: string }[] {
    const how = status === 302 ? 'by 302' : 'by 302 first, by 301 once that is seen to work'
    const place = `the list ${BULK_LIST} of the account${state.list ? '' : ' (made for it)'}`
    const items = left.map((prefix) => ({
      what: `lead https://${prefixName(prefix)}... to https://${mediaHost}/..., in ${place}, ${how}`,
    }))
    return hasRule(state)
      ? items
      : [...items, { what: `a rule of the account that puts ${BULK_LIST} to use` }]
  }

  function warningsOf({ list, lists, rule, rules }: BulkState): string[] {
    const full = [
      ...(list || lists < FREE_LISTS ? [] : [`${lists} lists (Free plan: ${FREE_LISTS})`]),
      ...(rule || rules < FREE_BULK_RULES
        ? []
        : [`${rules} bulk redirect rules (Free plan: ${FREE_BULK_RULES})`]),
    ]
    return full.map((what) => `The account has ${what} already; Cloudflare may refuse one more.`)
  }
}
