import type { AnalyticsPort, R2Day } from './port.ts'
import { listOfObjects, OddAnswer, textIn } from './wire.ts'

/** Rows of one dataset; Cloudflare's own example asks for as many. */
const MOST_ROWS = 10_000

/**
 * The two datasets of R2 for one day, with the fields that Cloudflare's docs describe and no others
 * (r2/platform/metrics-analytics, read on 2026-11-29). They are kept for 31 days. Asked for day by day:
 * the peak of a day is what is billed, and the docs name no dimension for a day.
 */
const QUERY = `query R2Day($accountTag: string!, $startDate: Time, $endDate: Time) {
  viewer {
    accounts(filter: { accountTag: $accountTag }) {
      r2OperationsAdaptiveGroups(
        limit: ${MOST_ROWS}
        filter: { datetime_geq: $startDate, datetime_leq: $endDate }
      ) {
        sum { requests }
        dimensions { bucketName actionType responseStatusCode }
      }
      r2StorageAdaptiveGroups(
        limit: ${MOST_ROWS}
        filter: { datetime_geq: $startDate, datetime_leq: $endDate }
      ) {
        max { objectCount uploadCount payloadSize metadataSize }
        dimensions { bucketName }
      }
    }
  }
}`

/** Sends a query to Cloudflare's GraphQL API and gives what the answer holds under `data`. */
export type AskGraphql = (
  query: string,
  variables: Readonly<Record<string, string>>,
) => Promise<unknown>

export function analytics(ask: AskGraphql): AnalyticsPort {
  return {
    async r2Day(accountId, day) {
      const variables = {
        accountTag: accountId,
        startDate: `${day}T00:00:00Z`,
        endDate: `${day}T23:59:59Z`,
      }
      return readDay(day, await ask(QUERY, variables))
    },
  }
}

/** Throws OddAnswer for an answer of another form. */
function readDay(day: string, data: unknown): R2Day {
  const [account] = listOfObjects(field(field(data, 'viewer'), 'accounts'))
  if (account === undefined) throw new OddAnswer('it has no account')
  const operations = listOfObjects(account.r2OperationsAdaptiveGroups)
  const storage = listOfObjects(account.r2StorageAdaptiveGroups)
  return {
    day,
    isCutOff: operations.length >= MOST_ROWS || storage.length >= MOST_ROWS,
    operations: operations.map((row) => {
      const dimensions = record(row, 'dimensions')
      return {
        bucket: nameIn(dimensions),
        action: textIn(dimensions, 'actionType'),
        status: count(dimensions, 'responseStatusCode'),
        requests: count(record(row, 'sum'), 'requests'),
      }
    }),
    storage: storage.map((row) => {
      const max = record(row, 'max')
      return {
        bucket: nameIn(record(row, 'dimensions')),
        objects: count(max, 'objectCount'),
        bytes: count(max, 'payloadSize') + count(max, 'metadataSize'),
      }
    }),
  }
}

type Fields = Readonly<Record<string, unknown>>

function record(row: Fields, name: string): Fields {
  const value = row[name]
  if (typeof value === 'object' && value !== null) return value as Fields
  throw new OddAnswer(`a row has no ${name}`)
}

/** Requests that are about no bucket have an empty name. */
function nameIn({ bucketName }: Fields): string {
  return typeof bucketName === 'string' ? bucketName : ''
}

/** Whole numbers may come as texts, as the larger ones do in GraphQL. */
function count(fields: Fields, name: string): number {
  const value = Number(fields[name] ?? 0)
  if (Number.isFinite(value) && value >= 0) return value
  throw new OddAnswer(`its ${name} is no number`)
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Fields)[name] : undefined
}
