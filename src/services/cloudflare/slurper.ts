import type { JobCreateParams } from 'cloudflare/resources/r2/super-slurper/jobs/jobs'
import { Problem } from '../../core/problem.ts'
import type { Call } from './call.ts'
import type {
  SlurperFailure,
  SlurperJob,
  SlurperPlaces,
  SlurperPort,
  SlurperProgress,
  SlurperSource,
  SlurperStatus,
  SlurperTarget,
} from './port.ts'
import { Refusal } from './refusal.ts'
import type { Sdk } from './sdk.ts'
import { listOfObjects } from './wire.ts'

/** The most that a page holds (Cloudflare's API description). */
const PAGE = 50
const MOST_PAGES = 200

type R2Jurisdiction = NonNullable<JobCreateParams.Target['jurisdiction']>

export function slurper(call: Call): SlurperPort {
  async function listJobs(accountId: string, between: SlurperPlaces): Promise<SlurperJob[]> {
    const pages = await everyPage((offset) =>
      call('repeatable', (sdk) => jobs(sdk).list({ account_id: accountId, limit: PAGE, offset })),
    )
    return pages.map(jobOf).filter((job) => isBetween(job, between))
  }

  return {
    listJobs,

    async canRead(accountId, source) {
      const body = { account_id: accountId, ...sourceBody(source) }
      const send = (sdk: Sdk) => sdk.r2.superSlurper.connectivityPrecheck.source(body)
      return (await call('repeatable', send)).connectivityStatus === 'success'
    },

    async canWrite(accountId, target) {
      const body = { account_id: accountId, ...targetBody(target) }
      const send = (sdk: Sdk) => sdk.r2.superSlurper.connectivityPrecheck.target(body)
      return (await call('repeatable', send)).connectivityStatus === 'success'
    },

    async createJob(accountId, wish) {
      const { source, target, prefix } = wish
      const known = new Set((await listJobs(accountId, wish)).map(({ id }) => id))
      const path = prefix === undefined ? {} : { pathPrefix: prefix }
      const body = {
        account_id: accountId,
        source: { ...sourceBody(source), ...path },
        target: targetBody(target),
        overwrite: false,
      }
      try {
        const { id } = await call('create', (sdk) => jobs(sdk).create(body))
        if (id) return id
      } catch (error) {
        if (error instanceof Refusal && error.status === 409) throw tooManyJobs(error)
        if (!(error instanceof Problem) || error.code !== 'cloudflare-answer-lost') throw error
        const made = (await listJobs(accountId, wish)).find(
          (job) => !known.has(job.id) && barePrefix(job.from.prefix) === barePrefix(prefix),
        )
        if (made) return made.id
        throw error
      }
      throw new TypeError('A job without an id.')
    },

    async progress(accountId, jobId) {
      try {
        const scope = { account_id: accountId }
        return progressOf(await call('repeatable', (sdk) => jobs(sdk).progress(jobId, scope)))
      } catch (error) {
        if (error instanceof Refusal && error.status === 404) return undefined
        throw error
      }
    },

    async pause(account_id, jobId) {
      await call<unknown>('repeatable', (sdk) => jobs(sdk).pause(jobId, { account_id }))
    },

    async resume(account_id, jobId) {
      await call<unknown>('repeatable', (sdk) => jobs(sdk).resume(jobId, { account_id }))
    },

    async abort(account_id, jobId) {
      await call<unknown>('repeatable', (sdk) => jobs(sdk).abort(jobId, { account_id }))
    },

    async failures(account_id, jobId, limit) {
      const load = (offset: number) =>
        call('repeatable', (sdk) => jobs(sdk).logs.list(jobId, { account_id, limit: PAGE, offset }))
      const isEnough = (entries: readonly Entry[]) =>
        entries.filter((entry) => failureOf(entry)).length >= limit
      const entries = await everyPage(load, isEnough)
      return entries.flatMap((entry) => failureOf(entry) ?? []).slice(0, limit)
    },
  }
}

function jobs(sdk: Sdk) {
  return sdk.r2.superSlurper.jobs
}

/** These lists are paged by offset and say no total: the end is a page that isn't full. */
async function everyPage(
  load: (offset: number) => PromiseLike<{ readonly result?: unknown }>,
  isEnough: (items: readonly Entry[]) => boolean = () => false,
): Promise<Entry[]> {
  const items: Entry[] = []
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const found = listOfObjects((await load(items.length)).result)
    items.push(...found)
    if (found.length < PAGE || isEnough(items)) break
  }
  return items
}

function sourceBody(source: SlurperSource) {
  const { bucket, key } = source
  const secret = revealed(key)
  if (source.vendor === 'r2') {
    return { vendor: 'r2' as const, bucket, secret, jurisdiction: named(source.jurisdiction) }
  }
  const { endpoint, region } = source
  return {
    vendor: 's3' as const,
    bucket,
    secret,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  }
}

function targetBody({ bucket, jurisdiction, key }: SlurperTarget) {
  return {
    vendor: 'r2' as const,
    bucket,
    secret: revealed(key),
    jurisdiction: named(jurisdiction),
  }
}

function revealed({ accessKeyId, secretAccessKey }: SlurperTarget['key']) {
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal() }
}

/** Whether the slash at the end comes back is not known. */
function barePrefix(prefix = ''): string {
  return prefix.replace(/\/+$/, '')
}

/** `fedramp-high` is not among its jurisdictions; Cloudflare's own refusal is the better answer. */
function named(jurisdiction: string): R2Jurisdiction {
  return jurisdiction as R2Jurisdiction
}

function tooManyJobs(cause: Refusal): Problem {
  return new Problem(
    {
      code: 'slurper-too-many-jobs',
      what: 'Super Slurper has as many jobs under way in this account as it takes at a time.',
      why: cause.why,
      next: 'Wait until one has ended, or abort one that nobody needs, at https://dash.cloudflare.com/?to=/:account/r2/slurper. Then run this again.',
    },
    { cause },
  )
}

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
function jobOf(entry: Entry): SlurperJob {
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
function progressOf(answer: unknown): SlurperProgress {
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
function failureOf({ logType, message, objectKey }: Entry): SlurperFailure | undefined {
  const type = String(logType)
  if (!/^(import|migrationError)/.test(type)) return undefined
  const known = Object.hasOwn(reasons, type) ? reasons[type] : undefined
  const said = typeof message === 'string' ? tidy(message) : ''
  const reason = [known ?? type, said].filter((part) => part !== '').join(': ')
  const key = typeof objectKey === 'string' ? objectKey : undefined
  return { key, reason, skipped: type.startsWith('importSkipped') }
}

/** Whether a job copies from one to the other; AWS's endpoint may be told or not. */
function isBetween({ from, to }: SlurperJob, { source, target }: SlurperPlaces): boolean {
  const endpoint = source.vendor === 's3' ? source.endpoint : undefined
  return (
    from.bucket === source.bucket &&
    bareEndpoint(from.endpoint) === bareEndpoint(endpoint) &&
    to.bucket === target.bucket &&
    to.jurisdiction === target.jurisdiction
  )
}

function bareEndpoint(endpoint = ''): string {
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
