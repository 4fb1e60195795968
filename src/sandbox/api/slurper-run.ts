import { setTimeout as sleep } from 'node:timers/promises'
import { BucketRefusal, type Fetched, type SlurperBucket } from './slurper-bucket.ts'
import type { SlurperJob, SlurperLogEntry, SlurperSwitches } from './slurper-job.ts'

const AT_ONCE = 8
const TRIES = 3
/** What a copy keeps besides the headers of the user's own metadata. */
const KEPT = ['content-type', 'content-encoding', 'content-disposition', 'content-language']

export interface SlurperRun {
  readonly job: SlurperJob
  readonly source: SlurperBucket
  readonly target: SlurperBucket
  readonly switches: SlurperSwitches
  now(): number
  /** The sandbox ends. */
  readonly closing: AbortSignal
}

/** Copies what the job is about, to its end or until it is aborted; pauses while it is paused. */
export async function runSlurperJob(run: SlurperRun): Promise<void> {
  const { job, now } = run
  note(run, { logType: 'migrationStart' })
  try {
    for await (const found of batches(run)) {
      if (!(await mayGoOn(run))) return
      await Promise.all(found.map((key) => copyOne(run, key)))
    }
    if (!(await mayGoOn(run))) return
    job.status = 'completed'
    note(run, { logType: 'migrationComplete' })
  } catch (error) {
    if (run.closing.aborted) return
    job.status = 'aborted'
    note(run, { logType: 'migrationError', message: wordsOf(error) })
  }
  job.finishedAt = now()
}

async function* batches(run: SlurperRun): AsyncIterable<readonly Found[]> {
  for await (const page of pages(run)) {
    run.job.objects += page.length
    for (let at = 0; at < page.length; at += AT_ONCE) yield page.slice(at, at + AT_ONCE)
  }
}

interface Found {
  readonly key: string
  readonly size: number | undefined
}

async function* pages({ job, source }: SlurperRun): AsyncIterable<readonly Found[]> {
  const { keys, pathPrefix = '' } = job.source
  if (keys !== undefined) {
    yield keys.map((key) => ({ key, size: undefined }))
    return
  }
  let after: string | undefined
  for (;;) {
    const page = await source.list(pathPrefix, after)
    if (page.length === 0) return
    yield page
    after = page.at(-1)?.key
  }
}

/** Waits while the job is paused; false once it is aborted or the sandbox ends. */
async function mayGoOn(run: SlurperRun): Promise<boolean> {
  const { job, switches, closing } = run
  const { pauseAfter } = switches
  if (pauseAfter !== undefined && job.transferred >= pauseAfter && job.status === 'running') {
    switches.pauseAfter = undefined
    job.status = 'paused'
    note(run, { logType: 'migrationPause' })
  }
  while (job.status === 'paused' && !closing.aborted) {
    await sleep(10, undefined, { ref: false })
  }
  return job.status === 'running' && !closing.aborted
}

async function copyOne(run: SlurperRun, { key, size }: Found): Promise<void> {
  const { job, source, target, switches } = run
  if (switches.objectMs > 0) await sleep(switches.objectMs)
  if (size === 0) {
    job.skipped += 1
    note(run, { logType: 'importSkippedEmptyObject', objectKey: key })
    return
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (!job.overwrite && (await target.sizeOf(key)) !== undefined) {
        job.skipped += 1
        return
      }
      const fetched = await source.get(key)
      await target.put(key, fetched.body, kept(fetched, switches.keepsCacheControl))
      job.transferred += 1
      return
    } catch (error) {
      if (attempt < TRIES && !run.closing.aborted) continue
      job.failed += 1
      const message = wordsOf(error)
      note(run, { logType: 'importErrorRetryExhaustion', objectKey: key, message })
      return
    }
  }
}

function kept({ headers }: Fetched, cacheControl: boolean): Record<string, string> {
  const names = cacheControl ? [...KEPT, 'cache-control'] : KEPT
  return Object.fromEntries(
    [...headers].filter(([name]) => names.includes(name) || name.startsWith('x-amz-meta-')),
  )
}

function note({ job, now }: SlurperRun, entry: Omit<SlurperLogEntry, 'at'>): void {
  job.log.push({ at: now(), ...entry })
}

function wordsOf(error: unknown): string {
  return error instanceof BucketRefusal ? error.message : 'The sandbox broke'
}
