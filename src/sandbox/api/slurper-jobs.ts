import type {
  ConnectivityPrecheckSourceResponse,
  ConnectivityPrecheckTargetResponse,
} from 'cloudflare/resources/r2/super-slurper/connectivity-precheck'
import type {
  JobAbortAllResponse,
  JobAbortResponse,
  JobCreateResponse,
  JobGetResponse,
  JobListResponse,
  JobPauseResponse,
  JobProgressResponse,
  JobResumeResponse,
} from 'cloudflare/resources/r2/super-slurper/jobs/jobs'
import type { LogListResponse } from 'cloudflare/resources/r2/super-slurper/jobs/logs'
import { ok, Refusal } from './refusal.ts'
import {
  type ApiContext,
  type ApiRequest,
  bodyObject,
  type Handler,
  isBucketName,
  isObject,
  type JsonObject,
  param,
  queryNumber,
} from './request.ts'
import type { SlurperJob, SlurperLogEntry, SlurperPlace } from './slurper-run.ts'

const jurisdictions = ['default', 'eu', 'us', 'fedramp']
const MOST_KEYS = 10_000

/** Where a job copies from; `http://` only by the sandbox's own switch. Google's buckets are refused. */
function readSource(value: unknown, plainHttp: boolean): SlurperPlace {
  const place = readPlace(value)
  if (place.vendor === 'r2') return place
  const { endpoint } = place
  if (endpoint !== undefined && !isEndpoint(endpoint, plainHttp)) {
    throw new Refusal('slurper-body', 'The endpoint must be an https:// URL.')
  }
  return place
}

/** Where it copies to: always a bucket on R2. */
function readTarget(value: unknown): SlurperPlace {
  const place = readPlace(value)
  if (place.vendor !== 'r2') throw new Refusal('slurper-body', 'The target must be on R2.')
  return place
}

function readPlace(value: unknown): SlurperPlace {
  if (!isObject(value)) throw new Refusal('slurper-body', 'A bucket is missing.')
  const { vendor, bucket, jurisdiction = 'default', secret } = value
  if (vendor !== 's3' && vendor !== 'r2') throw new Refusal('slurper-body', 'Unknown vendor.')
  if (typeof bucket !== 'string' || bucket === '' || (vendor === 'r2' && !isBucketName(bucket))) {
    throw new Refusal('bucket-name')
  }
  if (!jurisdictions.some((known) => known === jurisdiction)) throw new Refusal('jurisdiction')
  return {
    vendor,
    bucket,
    ...readSecret(secret),
    endpoint: readText(value, 'endpoint'),
    jurisdiction: String(jurisdiction),
    pathPrefix: readText(value, 'pathPrefix'),
    keys: readKeys(value.keys),
  }
}

function readSecret(secret: unknown): Pick<SlurperPlace, 'accessKeyId' | 'secretAccessKey'> {
  const { accessKeyId, secretAccessKey } = isObject(secret) ? secret : {}
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') {
    throw new Refusal('slurper-body', 'The secret is missing.')
  }
  return { accessKeyId, secretAccessKey }
}

function readText(value: JsonObject, name: string): string | undefined {
  const text = value[name] ?? undefined
  if (text === undefined || typeof text === 'string') return text
  throw new Refusal('slurper-body', `${name} must be a text.`)
}

function readKeys(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const isList = Array.isArray(value) && value.every((key) => typeof key === 'string')
  if (!isList || value.length > MOST_KEYS) throw new Refusal('slurper-body', 'Bad keys.')
  return value
}

function isEndpoint(text: string, plainHttp: boolean): boolean {
  if (!URL.canParse(text)) return false
  const { protocol } = new URL(text)
  return protocol === 'https:' || (plainHttp && protocol === 'http:')
}

type Jurisdiction = NonNullable<NonNullable<JobGetResponse['target']>['jurisdiction']>

const OK = 'ok'

/** 201 with the id alone; 409 when as many jobs as allowed are under way. */
export const createJob: Handler = (context, request) => {
  const { source, target, overwrite = true } = bodyObject(request)
  if (typeof overwrite !== 'boolean') throw new Refusal('slurper-body', 'Bad overwrite.')
  const { slurper } = context
  const places = {
    source: readSource(source, slurper.switches.plainHttp),
    target: readTarget(target),
  }
  const active = jobsOf(context, request).filter((job) => !job.finishedAt)
  if (active.length >= slurper.switches.maxJobs) throw new Refusal('slurper-too-many')
  const { id } = slurper.start({ ...places, accountId: param(request, 'account'), overwrite })
  return { ...ok<JobCreateResponse>({ id }), status: 201 }
}

/** The newest first, by limit and offset. */
export const listJobs: Handler = (context, request) => {
  const jobs = jobsOf(context, request).reverse()
  return ok<JobListResponse[]>(slice(request, jobs).map(describe))
}

export const getJob: Handler = (context, request) =>
  ok<JobGetResponse>(describe(findJob(context, request)))

export const getProgress: Handler = (context, request) => {
  const job = findJob(context, request)
  return ok<JobProgressResponse>({
    id: job.id,
    createdAt: timeOf(job.createdAt),
    status: job.status,
    objects: job.objects,
    transferredObjects: job.transferred,
    skippedObjects: job.skipped,
    failedObjects: job.failed,
  })
}

export const pauseJob: Handler = (context, request) => {
  const job = findJob(context, request)
  if (job.status !== 'running') throw new Refusal('slurper-state', 'It is not running.')
  move(context, job, 'paused', 'migrationPause')
  return ok<JobPauseResponse>(OK)
}

export const resumeJob: Handler = (context, request) => {
  const job = findJob(context, request)
  if (job.status !== 'paused') throw new Refusal('slurper-state', 'It is not paused.')
  move(context, job, 'running', 'migrationResume')
  return ok<JobResumeResponse>(OK)
}

export const abortJob: Handler = (context, request) => {
  const job = findJob(context, request)
  if (job.status === 'completed') throw new Refusal('slurper-state', 'It has ended.')
  end(context, job)
  return ok<JobAbortResponse>(OK)
}

export const abortAllJobs: Handler = (context, request) => {
  for (const job of jobsOf(context, request)) if (!job.finishedAt) end(context, job)
  return ok<JobAbortAllResponse>(OK)
}

/** Only a job that has ended goes. */
export const deleteJob: Handler = (context, request) => {
  const job = findJob(context, request)
  if (!job.finishedAt) throw new Refusal('slurper-state', 'It is still active.')
  context.slurper.forget(job)
  return ok<string>(OK)
}

/** In the order of events, by limit and offset. */
export const listLogs: Handler = (context, request) => {
  const job = findJob(context, request)
  const tell = ({ at, logType, message, objectKey }: SlurperLogEntry): LogListResponse => ({
    createdAt: timeOf(at),
    job: job.id,
    logType,
    message: message ?? null,
    objectKey: objectKey ?? null,
  })
  return ok<LogListResponse[]>(slice(request, job.log).map(tell))
}

function jobsOf({ slurper }: ApiContext, request: ApiRequest): SlurperJob[] {
  return slurper.jobs.filter(({ accountId }) => accountId === param(request, 'account'))
}

function findJob(context: ApiContext, request: ApiRequest): SlurperJob {
  const job = jobsOf(context, request).find(({ id }) => id === param(request, 'job'))
  if (job === undefined) throw new Refusal('no-slurper-job')
  return job
}

function slice<T>(request: ApiRequest, all: readonly T[]): readonly T[] {
  const limit = queryNumber(request, 'limit', 10, 1, 50)
  const offset = queryNumber(request, 'offset', 0, 0, Number.MAX_SAFE_INTEGER)
  return all.slice(offset, offset + limit)
}

function move(
  context: ApiContext,
  job: SlurperJob,
  status: SlurperJob['status'],
  logType: SlurperLogEntry['logType'],
): void {
  job.status = status
  job.log.push({ at: context.now(), logType })
}

function end(context: ApiContext, job: SlurperJob): void {
  if (job.status === 'aborted') return
  move(context, job, 'aborted', 'migrationAbort')
  job.finishedAt = context.now()
}

function describe({ source, target, ...job }: SlurperJob): JobGetResponse {
  return {
    id: job.id,
    status: job.status,
    overwrite: job.overwrite,
    createdAt: timeOf(job.createdAt),
    finishedAt: job.finishedAt === undefined ? null : timeOf(job.finishedAt),
    source: describeSource(source),
    target: {
      vendor: 'r2',
      bucket: target.bucket,
      jurisdiction: target.jurisdiction as Jurisdiction,
    },
  }
}

function describeSource(place: SlurperPlace): NonNullable<JobGetResponse['source']> {
  const { vendor, bucket } = place
  const part = { pathPrefix: place.pathPrefix ?? null, keys: place.keys ? [...place.keys] : null }
  if (vendor === 's3') return { vendor, bucket, endpoint: place.endpoint ?? null, ...part }
  return { vendor, bucket, jurisdiction: place.jurisdiction as Jurisdiction, ...part }
}

function timeOf(at: number): string {
  return new Date(at).toISOString()
}

/** Whether a job could read there; why not is not told. */
export const precheckSource: Handler = async ({ slurper }, request) => {
  const place = readSource(bodyObject(request), slurper.switches.plainHttp)
  const connectivityStatus = (await slurper.reaches(place, 'read')) ? 'success' : 'error'
  return ok<ConnectivityPrecheckSourceResponse>({ connectivityStatus })
}

/** Whether a job could write there. */
export const precheckTarget: Handler = async ({ slurper }, request) => {
  const place = readTarget(bodyObject(request))
  const connectivityStatus = (await slurper.reaches(place, 'write')) ? 'success' : 'error'
  return ok<ConnectivityPrecheckTargetResponse>({ connectivityStatus })
}
