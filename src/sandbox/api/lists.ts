import { randomBytes } from 'node:crypto'
import type { ListDeleteResponse } from 'cloudflare/resources/rules/lists/lists'
import { readSource } from '../edge/rules.ts'
import {
  isRecord,
  type SandboxList,
  type SandboxOperation,
  type SandboxRedirect,
  settleOperations,
} from '../edge/state.ts'
import { type Answer, ok, Refusal } from './refusal.ts'
import {
  type ApiContext,
  type ApiRequest,
  bodyObject,
  cursorAfter,
  type Handler,
  isObject,
  type JsonObject,
  param,
  queryNumber,
} from './request.ts'

/** The lists of the account, oldest first; the answer has one page. */
export const listLists: Handler = (context, request) =>
  ok(listsOf(context, request).map((list) => describeList(context, list)))

/** Only redirect lists: the sandbox has no use for the other kinds. */
export const createList: Handler = (context, request) => {
  const { world, now } = context
  const { name, kind, description = '' } = bodyObject(request)
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_]{1,50}$/.test(name)) {
    throw new Refusal('list-body', 'a name has 1 to 50 letters, digits and underscores')
  }
  if (typeof description !== 'string' || description.length > 500) {
    throw new Refusal('list-body', 'a description has at most 500 characters')
  }
  if (kind !== 'redirect') throw new Refusal('list-body', 'the kind must be redirect')
  const lists = listsOf(context, request)
  if (lists.some((list) => list.name === name)) throw new Refusal('list-exists')
  if (lists.length >= world.edge.limits.lists) throw new Refusal('too-many-lists')
  const list: SandboxList = {
    id: randomBytes(16).toString('hex'),
    accountId: param(request, 'account'),
    name,
    description,
    createdAt: now(),
    updatedAt: now(),
    items: [],
  }
  world.edge.lists.push(list)
  return ok(describeList(context, list))
}

export const getList: Handler = (context, request) =>
  ok(describeList(context, findList(context, request)))

/** With all its items; not while a rule names it. */
export const deleteList: Handler = (context, request) => {
  const list = findList(context, request)
  if (referencing(context, list) > 0) throw new Refusal('list-in-use')
  const { lists } = context.world.edge
  lists.splice(lists.indexOf(list), 1)
  return ok<ListDeleteResponse>({ id: list.id })
}

/** The list of the path, with every change that is due carried out. */
function findList(context: ApiContext, request: ApiRequest): SandboxList {
  const id = param(request, 'list')
  const found = listsOf(context, request).find((list) => list.id === id)
  if (found === undefined) throw new Refusal('no-list')
  return found
}

function listsOf({ world, now }: ApiContext, request: ApiRequest): SandboxList[] {
  settleOperations(world.edge, now())
  return world.edge.lists.filter(({ accountId }) => accountId === param(request, 'account'))
}

function referencing({ world }: ApiContext, { accountId, name }: SandboxList): number {
  return world.edge.rulesets
    .filter(({ owner }) => owner === accountId)
    .flatMap(({ rules }) => rules)
    .filter(
      ({ parameters }) => isRecord(parameters.from_list) && parameters.from_list.name === name,
    ).length
}

function describeList(context: ApiContext, list: SandboxList): object {
  const { id, name, description, items, createdAt, updatedAt } = list
  return {
    id,
    name,
    description,
    kind: 'redirect',
    num_items: items.length,
    num_referencing_filters: referencing(context, list),
    created_on: rfc3339(createdAt),
    modified_on: rfc3339(updatedAt),
  }
}

/** To the second, as this part of the API writes times. */
function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

const keys = [
  ...['source_url', 'target_url', 'status_code', 'include_subdomains', 'subpath_matching'],
  ...['preserve_query_string', 'preserve_path_suffix'],
]
const statuses = [301, 302, 307, 308] as const

/** The redirects in a body, each with a new id; refused as a whole when one is wrong. */
function readRedirects(body: unknown, now: number): SandboxRedirect[] {
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
  return ok(page.map(describeItem), { info })
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

function describeItem(item: SandboxRedirect): object {
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
