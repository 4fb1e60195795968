import { randomBytes } from 'node:crypto'
import type { SandboxOperation, SandboxRedirect } from '../edge/state.ts'
import { settleOperations } from '../edge/state.ts'
import { findList, readRedirects, rfc3339 } from './lists.ts'
import { type Answer, ok, Refusal } from './refusal.ts'
import {
  type ApiContext,
  type ApiRequest,
  bodyObject,
  cursorAfter,
  type Handler,
  queryNumber,
} from './request.ts'

/** In the order of their making; `search` looks into both URLs and the comment. */
export const listItems: Handler = (context, request) => {
  const { items } = findList(context, request)
  const search = request.query.get('search') ?? ''
  const perPage = queryNumber(request, 'per_page', 25, 1, 500)
  const cursor = request.query.get('cursor')
  const found = items.filter(({ sourceUrl, targetUrl, comment = '' }) =>
    [sourceUrl, targetUrl, comment].some((text) => text.includes(search)),
  )
  const after = cursor === null ? undefined : Buffer.from(cursor, 'base64url').toString()
  const start = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1
  const page = found.slice(start, start + perPage)
  const last = page.at(-1)
  const more = last !== undefined && start + perPage < found.length
  const info = { cursors: more ? { after: cursorAfter(last.id) } : {} }
  return ok(page.map(shown), { info })
}

export const addItems: Handler = (context, request) =>
  accept(context, request, { add: readRedirects(request.body, context.now()), remove: [] })

/** In the place of all that were there. */
export const replaceItems: Handler = (context, request) =>
  accept(context, request, { add: readRedirects(request.body, context.now()), remove: 'all' })

export const removeItems: Handler = (context, request) => {
  const { items } = bodyObject(request)
  const ids = Array.isArray(items) ? items.map((item: { id?: unknown } | null) => item?.id) : []
  const known = findList(context, request).items
  const all = ids.every((id) => known.some((item) => item.id === id))
  if (ids.length === 0 || !all) throw new Refusal('list-items', 'an id is not known')
  return accept(context, request, { add: [], remove: ids.map(String) })
}

export const getOperation: Handler = ({ world, now }, { params }) => {
  settleOperations(world.edge, now())
  const operation = world.edge.operations.find(
    ({ id, accountId }) => id === params.operation && accountId === params.account,
  )
  if (operation === undefined) throw new Refusal('no-operation')
  const { id, outcome, startedAt } = operation
  if (outcome === undefined) {
    const running = now() - startedAt >= world.edge.operationMs / 2
    return ok({ id, status: running ? 'running' : 'pending' })
  }
  const { at, error } = outcome
  const completed = rfc3339(at)
  return ok(
    error === undefined
      ? { id, status: 'completed', completed }
      : { id, status: 'failed', completed, error },
  )
}

/** One change runs in an account; what is wrong with it beside the list's content shows later. */
function accept(
  context: ApiContext,
  request: ApiRequest,
  change: Pick<SandboxOperation, 'add' | 'remove'>,
): Answer {
  const { world, now } = context
  const list = findList(context, request)
  const busy = world.edge.operations.some(
    ({ accountId, outcome }) => accountId === list.accountId && outcome === undefined,
  )
  if (busy) throw new Refusal('list-busy')
  const operation: SandboxOperation = {
    ...change,
    id: randomBytes(16).toString('hex'),
    accountId: list.accountId,
    listId: list.id,
    startedAt: now(),
    outcome: undefined,
  }
  world.edge.operations.push(operation)
  return ok({ operation_id: operation.id })
}

function shown(item: SandboxRedirect): object {
  return {
    id: item.id,
    redirect: {
      source_url: item.sourceUrl,
      target_url: item.targetUrl,
      status_code: item.status,
      include_subdomains: item.includeSubdomains,
      subpath_matching: item.subpathMatching,
      preserve_query_string: item.preserveQueryString,
      preserve_path_suffix: item.preservePathSuffix,
    },
    ...(item.comment === undefined ? {} : { comment: item.comment }),
    created_on: rfc3339(item.createdAt),
    modified_on: rfc3339(item.createdAt),
  }
}
