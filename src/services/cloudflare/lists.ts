import type { ItemListResponse } from 'cloudflare/resources/rules/lists/items'
import { Problem } from '../../core/problem.ts'
import { type Call, createAndLook } from './call.ts'
import type { NewRedirect, Redirect, RedirectList, RulesPort } from './port.ts'
import { Refusal, withinListLimits } from './refusal.ts'
import { type Operations, operations } from './rules.ts'

const PER_PAGE = 500
const MOST_PAGES = 1000

/** Redirect lists of an account. `sleep` in milliseconds is for the pauses between looks. */
export function redirectLists(
  call: Call,
  sleep: (ms: number) => Promise<void>,
): Pick<
  RulesPort,
  | 'listRedirectLists'
  | 'createRedirectList'
  | 'listRedirects'
  | 'addRedirects'
  | 'removeRedirects'
  | 'deleteRedirectList'
> {
  const { carryOut }: Operations = operations(call, sleep)

  async function listRedirectLists(accountId: string): Promise<RedirectList[]> {
    const { result } = await call('repeatable', (sdk) =>
      sdk.rules.lists.list({ account_id: accountId }),
    )
    return (result ?? []).filter(({ kind }) => kind === 'redirect').map(describeList)
  }

  async function listRedirects(accountId: string, listId: string): Promise<Redirect[]> {
    const found: Redirect[] = []
    let cursor: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const query = { account_id: accountId, per_page: PER_PAGE, ...(cursor ? { cursor } : {}) }
      const { result, result_info } = await call('repeatable', (sdk) =>
        sdk.rules.lists.items.list(listId, query),
      )
      found.push(...(result ?? []).flatMap(describeItem))
      const next = result_info?.cursors?.after
      if (!next || next === cursor) break
      cursor = next
    }
    return found
  }

  return {
    listRedirectLists,
    listRedirects,

    async createRedirectList(accountId, name, description) {
      const body = { account_id: accountId, kind: 'redirect' as const, name, description }
      const find = async () =>
        (await listRedirectLists(accountId)).find((list) => list.name === name)
      await withinListLimits(() =>
        createAndLook({
          create: () => call('create', (sdk) => sdk.rules.lists.create(body)),
          isThere: async () => (await find()) !== undefined,
        }),
      )
      const made = await find()
      if (made === undefined) throw notSeen(name)
      return made
    },

    /** What is there already in the same form is left alone. */
    async addRedirects(accountId, listId, redirects) {
      await withinListLimits(() =>
        carryOut(accountId, {
          async left() {
            const there = await listRedirects(accountId, listId)
            return redirects.filter((wish) => !there.some((known) => isSame(known, wish)))
          },
          async send(wishes) {
            const body = { account_id: accountId, body: wishes.map(sent) }
            const { operation_id } = await call('create', (sdk) =>
              sdk.rules.lists.items.create(listId, body),
            )
            return operation_id
          },
        }),
      )
    },

    async removeRedirects(accountId, listId, ids) {
      await carryOut(accountId, {
        async left() {
          const there = await listRedirects(accountId, listId)
          return ids.filter((id) => there.some((known) => known.id === id))
        },
        async send(wishes) {
          const body = { account_id: accountId, items: wishes.map((id) => ({ id })) }
          const { operation_id } = await call('create', (sdk) =>
            sdk.rules.lists.items.delete(listId, body),
          )
          return operation_id
        },
      })
    },

    async deleteRedirectList(accountId, listId) {
      try {
        await call<unknown>('repeatable', (sdk) =>
          sdk.rules.lists.delete(listId, { account_id: accountId }),
        )
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 404) throw error
      }
    },
  }
}

/** Everything is told, as Cloudflare's docs and its API description name different defaults. */
function sent({ sourceUrl, targetUrl, status, comment }: NewRedirect) {
  const redirect = {
    source_url: sourceUrl,
    target_url: targetUrl,
    status_code: status,
    subpath_matching: true,
    preserve_path_suffix: true,
    preserve_query_string: true,
    include_subdomains: false,
  }
  return { redirect, comment }
}

/** Source URLs may come back with the scheme or the case changed. */
function isSame(known: Redirect, wish: NewRedirect): boolean {
  const { subpathMatching, preservePathSuffix, preserveQueryString } = known
  return (
    plain(known.sourceUrl) === plain(wish.sourceUrl) &&
    plain(known.targetUrl) === plain(wish.targetUrl) &&
    known.status === wish.status &&
    subpathMatching &&
    preservePathSuffix &&
    preserveQueryString
  )
}

function plain(url: string): string {
  const [, host = '', path = ''] = /^(?:https?:\/\/)?([^/]*)(.*)$/i.exec(url) ?? []
  return `${host.toLowerCase()}${path.replace(/\/$/, '')}`
}

function describeList(list: {
  id: string
  name: string
  description?: string
  num_items: number
}): RedirectList {
  const { id, name, description = '', num_items: items } = list
  return { id, name, description, items }
}

const statuses = [301, 302, 307, 308] as const

function describeItem(item: ItemListResponse): Redirect[] {
  if (!('redirect' in item)) return []
  const { id, comment = '', redirect } = item
  const status = statuses.find((known) => known === redirect.status_code) ?? 301
  return [
    {
      id,
      sourceUrl: redirect.source_url,
      targetUrl: redirect.target_url,
      status,
      comment,
      subpathMatching: redirect.subpath_matching ?? false,
      preservePathSuffix: redirect.preserve_path_suffix ?? false,
      preserveQueryString: redirect.preserve_query_string ?? false,
    },
  ]
}

function notSeen(name: string): Problem {
  return new Problem({
    code: 'cloudflare-list-not-seen',
    what: `Cloudflare made the list ${name}, and does not show it yet.`,
    why: 'It may take a moment until it is known everywhere.',
    next: 'Wait a minute and run this again: it goes on from what it finds.',
  })
}
