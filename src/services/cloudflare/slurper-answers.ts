import type {
  SlurperFailure,
  SlurperJob,
  SlurperPlaces,
  SlurperProgress,
  SlurperStatus,
} from './port.ts'

type Entry = Readonly<Record<string, unknown>>

const statuses: readonly SlurperStatus[] = ['running', 'paused', 'aborted', 'completed']

/** What its log calls the things that were not copied, in words. */
const reasons: Readonly<Record<string, string>> = {
  importErrorRetryExhaustion: 'failed again and again',
  importSkippedStorageClass: 'skipped: its storage class has to be restored first',
  importSkippedOversized: 'skipped: larger than 1 TB',
  importSkippedEmptyObject: 'skipped: empty',
  importSkippedUnsupportedContentType: 'skipped: its content type is not taken',
  importSkippedExcludedContentType: 'skipped: its content type is excluded',
  importSkippedInvalidMedia: 'skipped: taken for invalid media',
  importSkippedRequiresRetrieval: 'skipped: it has to be retrieved from an archive first',
  migrationError: 'the job failed',
  migrationErrorFailedContinuation: 'the job could not be continued',
}

/** Throws a TypeError for an answer that describes no job. */
export function jobOf(entry: Entry): SlurperJob {
  const { source, target } = entry
  if (!isEntry(source) || !isEntry(target)) throw new TypeError('Not a job.')
  return {
    id: text(entry.id),
    status: statusOf(entry.status),
    createdAt: text(entry.createdAt),
    from: {
      bucket: text(source.bucket),
      endpoint: typeof source.endpoint === 'string' ? source.endpoint : undefined,
      prefix: typeof source.pathPrefix === 'string' ? source.pathPrefix : '',
    },
    to: {
      bucket: text(target.bucket),
      jurisdiction: typeof target.jurisdiction === 'string' ? target.jurisdiction : 'default',
    },
  }
}

/** Throws a TypeError for an answer that is no progress. */
export function progressOf(answer: unknown): SlurperProgress {
  if (!isEntry(answer)) throw new TypeError('Not a progress.')
  return {
    status: statusOf(answer.status),
    objects: count(answer.objects),
    transferred: count(answer.transferredObjects),
    skipped: count(answer.skippedObjects),
    failed: count(answer.failedObjects),
  }
}

/** Undefined for an entry that tells of no object left behind. */
export function failureOf({ logType, message, objectKey }: Entry): SlurperFailure | undefined {
  const type = String(logType)
  if (!/^(import|migrationError)/.test(type)) return undefined
  const known = Object.hasOwn(reasons, type) ? reasons[type] : undefined
  const said = typeof message === 'string' ? tidy(message) : ''
  const reason = [known ?? type, said].filter((part) => part !== '').join(': ')
  const key = typeof objectKey === 'string' ? objectKey : undefined
  return { key, reason, skipped: type.startsWith('importSkipped') }
}

/** Whether a job copies from one to the other; AWS's endpoint may be told or not. */
export function isBetween({ from, to }: SlurperJob, { source, target }: SlurperPlaces): boolean {
  const endpoint = source.vendor === 's3' ? source.endpoint : undefined
  return (
    from.bucket === source.bucket &&
    bare(from.endpoint) === bare(endpoint) &&
    to.bucket === target.bucket &&
    to.jurisdiction === target.jurisdiction
  )
}

function bare(endpoint = ''): string {
  const text = endpoint.replace(/\/+$/, '').toLowerCase()
  return /^https:\/\/s3[.-][\w.-]*amazonaws\.com$/.test(text) ? '' : text
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('Not a text.')
  return value
}

function statusOf(value: unknown): SlurperStatus {
  const known = statuses.find((status) => status === value)
  if (known === undefined) throw new TypeError('Not a status.')
  return known
}

function count(value: unknown): number {
  if (value === undefined) return 0
  if (typeof value !== 'number') throw new TypeError('Not a number.')
  return value
}

/** One line, nothing that could steer a terminal. */
function tidy(message: string): string {
  return message
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 200)
}
