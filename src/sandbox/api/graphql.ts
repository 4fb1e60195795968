import type { IncomingHttpHeaders } from 'node:http'
import { analyticsName } from '../analytics.ts'
import type { StoredSample } from '../world.ts'
import { type Field, GraphqlSyntax, readQuery, type Value } from './graphql-query.ts'
import { authenticate, isPermitted } from './permits.ts'
import { type Answer, Refusal } from './refusal.ts'
import { type ApiContext, isObject } from './request.ts'

/**
 * Cloudflare's GraphQL Analytics API with the two datasets of R2: fields as in its docs
 * (r2/platform/metrics-analytics), refusals as in analytics/graphql-api/errors. Operations are those
 * that the sandbox was asked for, storage is what its buckets hold, and both what a test has put there.
 */
export async function answerGraphql(
  context: ApiContext,
  { headers, body }: { readonly headers: IncomingHttpHeaders; readonly body: unknown },
): Promise<Answer> {
  try {
    return {
      status: 200,
      headers: {},
      body: { data: await resolve(context, headers, body), errors: null },
    }
  } catch (error) {
    if (!(error instanceof GraphqlRefusal)) throw error
    const { status, message, path } = error
    const extensions = { timestamp: new Date(context.now()).toISOString() }
    return { status, headers: {}, body: { data: null, errors: [{ message, path, extensions }] } }
  }
}

class GraphqlRefusal extends Error {
  readonly status: number
  readonly path: readonly string[] | null

  constructor(status: number, message: string, path: readonly string[] | null = null) {
    super(message)
    this.status = status
    this.path = path
  }
}

interface Row {
  readonly dimensions: Readonly<Record<string, string | number>>
  readonly values: Readonly<Record<string, number>>
}

interface Dataset {
  readonly dimensions: readonly string[]
  /** The field that holds the values, and how several rows make one. */
  readonly merged: 'sum' | 'max'
  readonly values: readonly string[]
  rows(context: ApiContext, accountId: string, during: During): Promise<Row[]>
}

/** Milliseconds since the epoch, both ends included. */
interface During {
  readonly from: number
  readonly to: number
}

const datasets: Readonly<Record<string, Dataset>> = {
  r2OperationsAdaptiveGroups: {
    dimensions: ['actionType', 'actionStatus', 'bucketName', 'responseStatusCode', 'datetime'],
    merged: 'sum',
    values: ['requests'],
    async rows({ world }, accountId, { from, to }) {
      return world.analytics.operations
        .filter((one) => one.accountId === accountId && one.at >= from && one.at <= to)
        .map(({ bucket, action, status, at, requests }) => ({
          dimensions: {
            actionType: action,
            actionStatus: status < 400 ? 'success' : status < 500 ? 'userError' : 'internalError',
            bucketName: bucket,
            responseStatusCode: status,
            datetime: moment(at),
          },
          values: { requests },
        }))
    },
  },
  r2StorageAdaptiveGroups: {
    dimensions: ['bucketName', 'datetime'],
    merged: 'max',
    values: ['objectCount', 'uploadCount', 'payloadSize', 'metadataSize'],
    async rows(context, accountId, { from, to }) {
      const now = context.now()
      const today = from <= now && now <= to ? await samplesNow(context, accountId) : []
      return [...context.world.analytics.storage, ...today]
        .filter((one) => one.accountId === accountId && one.at >= from && one.at <= to)
        .map(({ bucket, at, objects, bytes }) => ({
          dimensions: { bucketName: bucket, datetime: moment(at) },
          values: { objectCount: objects, uploadCount: 0, payloadSize: bytes, metadataSize: 0 },
        }))
    },
  },
}

const MOST_ROWS = 10_000
const KEPT_SECONDS = 31 * 86_400

async function resolve(
  context: ApiContext,
  headers: IncomingHttpHeaders,
  body: unknown,
): Promise<unknown> {
  const token = tokenOf(context, headers)
  const { query, variables } = isObject(body) ? body : {}
  if (typeof query !== 'string')
    throw new GraphqlRefusal(400, 'query contains error, please review it and retry')
  const viewer = only(read(query, isObject(variables) ? variables : {}), 'viewer')
  const accounts = only(viewer.fields ?? [], 'accounts')
  const { accountTag } = isObject(accounts.args.filter) ? accounts.args.filter : {}
  if (typeof accountTag !== 'string') {
    throw new GraphqlRefusal(400, 'error parsing args for "accounts": filter accountTag is needed')
  }
  const groups = ['Account Analytics Read']
  if (!isPermitted(token, groups, { is: 'account', id: accountTag })) {
    throw new GraphqlRefusal(403, 'not authorized for that account', ['viewer', 'accounts'])
  }
  const found: Record<string, unknown> = {}
  for (const field of accounts.fields ?? [])
    found[field.as] = await rowsOf(context, accountTag, field)
  return { viewer: { accounts: [found] } }
}

function tokenOf({ world, now }: ApiContext, headers: IncomingHttpHeaders) {
  try {
    return authenticate(world, headers, now())
  } catch (error) {
    if (error instanceof Refusal) throw new GraphqlRefusal(401, 'Unauthorized')
    throw error
  }
}

function read(query: string, variables: Readonly<Record<string, unknown>>): readonly Field[] {
  try {
    return readQuery(query, variables)
  } catch (error) {
    if (!(error instanceof GraphqlSyntax)) throw error
    throw new GraphqlRefusal(
      400,
      `query contains error, please review it and retry: ${error.message}`,
    )
  }
}

function only(fields: readonly Field[], name: string): Field {
  const [field, ...more] = fields
  const odd = [field, ...more].find((one) => one?.name !== name)
  if (field === undefined || more.length > 0)
    throw new GraphqlRefusal(400, `unknown field "${more[0]?.name ?? ''}"`)
  if (odd !== undefined) throw new GraphqlRefusal(400, `unknown field "${odd.name}"`)
  return field
}

async function rowsOf(context: ApiContext, accountId: string, field: Field): Promise<unknown[]> {
  const path = ['viewer', 'accounts', '0', field.name]
  const dataset = datasets[field.name]
  if (dataset === undefined) throw new GraphqlRefusal(400, `unknown field "${field.name}"`, path)
  const { limit, filter, orderBy } = field.args
  if (typeof limit !== 'number' || limit < 1 || limit > MOST_ROWS) {
    const message = `limit must be positive number and not greater than ${MOST_ROWS}`
    throw new GraphqlRefusal(400, message, path)
  }
  const { during, equal } = filterOf(dataset, filter, path)
  if (during.from < context.now() - KEPT_SECONDS * 1000) {
    throw new GraphqlRefusal(400, `cannot request data older than ${KEPT_SECONDS}s`, path)
  }
  const chosen = chosenOf(dataset, field, path)
  const rows = await dataset.rows(context, accountId, during)
  const fitting = rows.filter(({ dimensions }) =>
    Object.entries(equal).every(([name, value]) => dimensions[name] === value),
  )
  return ordered(grouped(fitting, chosen, dataset.merged), orderBy).slice(0, limit)
}

function filterOf(dataset: Dataset, filter: Value | undefined, path: readonly string[]) {
  const fields = isObject(filter) ? (filter as Record<string, Value>) : {}
  const during = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }
  const equal: Record<string, Value> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'datetime_geq') during.from = Date.parse(String(value))
    else if (name === 'datetime_leq') during.to = Date.parse(String(value))
    else if (dataset.dimensions.includes(name)) equal[name] = value
    else throw new GraphqlRefusal(400, `error parsing args: unknown field "${name}"`, path)
  }
  return { during, equal }
}

interface Chosen {
  readonly dimensions: readonly string[]
  readonly values: readonly string[]
}

function chosenOf(
  { dimensions, merged, values }: Dataset,
  field: Field,
  path: readonly string[],
): Chosen {
  const names = (of: string, known: readonly string[]) => {
    const found = field.fields?.find(({ name }) => name === of)
    if (found === undefined) return []
    if (found.fields === undefined)
      throw new GraphqlRefusal(400, 'object field must have selections', path)
    const odd = found.fields.find(({ name }) => !known.includes(name))
    if (odd) throw new GraphqlRefusal(400, `unknown field "${odd.name}"`, path)
    return found.fields.map(({ name }) => name)
  }
  const odd = field.fields?.find(({ name }) => name !== 'dimensions' && name !== merged)
  if (odd) throw new GraphqlRefusal(400, `unknown field "${odd.name}"`, path)
  return { dimensions: names('dimensions', dimensions), values: names(merged, values) }
}

function grouped(rows: readonly Row[], chosen: Chosen, merged: Dataset['merged']): Group[] {
  const groups = new Map<string, Group>()
  for (const row of rows) {
    const dimensions = Object.fromEntries(
      chosen.dimensions.map((name) => [name, row.dimensions[name]]),
    )
    const key = JSON.stringify(dimensions)
    const before = groups.get(key)?.[merged] as Record<string, number> | undefined
    const join = merged === 'sum' ? (a: number, b: number) => a + b : Math.max
    const values = chosen.values.map((name) => [
      name,
      join(before?.[name] ?? 0, row.values[name] ?? 0),
    ])
    groups.set(key, { dimensions, [merged]: Object.fromEntries(values) })
  }
  return [...groups.values()]
}

type Group = Record<string, Record<string, unknown>>

function ordered(groups: Group[], orderBy: Value | undefined): Group[] {
  const [by] = [orderBy ?? []].flat()
  const [, name, way] = /^(\w+)_(ASC|DESC)$/.exec(String(by)) ?? []
  if (name === undefined) return groups
  const of = (group: Group) => String(group.dimensions?.[name] ?? '')
  const sorted = groups.toSorted((a, b) => (of(a) < of(b) ? -1 : 1))
  return way === 'DESC' ? sorted.reverse() : sorted
}

/** What every bucket of the account holds at this moment. */
async function samplesNow(context: ApiContext, accountId: string): Promise<StoredSample[]> {
  const at = context.now()
  const own = context.world.buckets.filter((bucket) => bucket.accountId === accountId)
  return Promise.all(
    own.map(async (bucket) => {
      let [objects, bytes] = [0, 0]
      let after: { startAfter?: string } = {}
      for (;;) {
        const page = await context.listObjects(bucket, { prefix: '', perPage: 1000, ...after })
        for (const { size } of page) [objects, bytes] = [objects + 1, bytes + size]
        const last = page.at(-1)
        if (page.length < 1000 || !last) break
        after = { startAfter: last.key }
      }
      return { accountId, bucket: analyticsName(bucket), at, objects, bytes }
    }),
  )
}

function moment(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
