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
import { ok } from './envelope.ts'
import { Refusal } from './refusal.ts'
import {
  type ApiContext,
  type ApiRequest,
  bodyObject,
  type Handler,
  param,
  queryNumber,
} from './request.ts'
import { readSource, readTarget } from './slurper-body.ts'
import type { SlurperJob, SlurperLogEntry, SlurperPlace } from './slurper-job.ts'

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
