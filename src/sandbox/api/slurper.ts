import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { SlurperJob, SlurperPlace, SlurperSwitches } from './slurper-run.ts'
import { runSlurperJob, SlurperBucket } from './slurper-run.ts'

/** Super Slurper of the sandbox: its jobs really copy, from and to endpoints of this machine. */
export interface Slurper {
  readonly jobs: readonly SlurperJob[]
  readonly switches: SlurperSwitches
  /** Whether the key opens the bucket. */
  reaches(place: SlurperPlace, need: 'read' | 'write'): Promise<boolean>
  start(wish: Pick<SlurperJob, 'accountId' | 'source' | 'target' | 'overwrite'>): SlurperJob
  forget(job: SlurperJob): void
  close(): Promise<void>
}

export interface SlurperOptions {
  /** S3 endpoint of a jurisdiction; undefined where there is none. */
  s3Url(jurisdiction: string): string | undefined
  readonly switches?: Partial<SlurperSwitches> | undefined
  /** Milliseconds since the epoch. */
  now(): number
}

const NOWHERE = 'http://127.0.0.1:9'

export function createSlurper({ s3Url, switches: wished, now }: SlurperOptions): Slurper {
  const switches: SlurperSwitches = {
    plainHttp: false,
    keepsCacheControl: true,
    maxJobs: 3,
    objectMs: 0,
    pauseAfter: undefined,
    ...wished,
  }
  const jobs: SlurperJob[] = []
  const running = new Set<Promise<void>>()
  const closing = new AbortController()

  /** The sandbox never leaves the machine: what is elsewhere can't be reached. */
  const open = (place: SlurperPlace): SlurperBucket => {
    const endpoint = place.vendor === 'r2' ? s3Url(place.jurisdiction) : place.endpoint
    const isHere = endpoint !== undefined && isLoopback(new URL(endpoint).hostname)
    return new SlurperBucket(place, isHere ? endpoint : NOWHERE)
  }

  return {
    jobs,
    switches,

    async reaches(place, need) {
      const bucket = open(place)
      try {
        await bucket.list('', undefined, 1)
        if (need === 'write') await bucket.put(PROBE, new Uint8Array(1), {})
        if (need === 'write') await bucket.delete(PROBE)
        return true
      } catch {
        return false
      }
    },

    start(wish) {
      const job: SlurperJob = {
        ...wish,
        id: randomBytes(16).toString('hex'),
        createdAt: now(),
        finishedAt: undefined,
        status: 'running',
        objects: 0,
        transferred: 0,
        skipped: 0,
        failed: 0,
        log: [],
      }
      jobs.push(job)
      const [source, target] = [open(job.source), open(job.target)]
      const run = { job, source, target, switches, now, closing: closing.signal }
      const work = runSlurperJob(run).finally(() => running.delete(work))
      running.add(work)
      return job
    },

    forget(job) {
      jobs.splice(jobs.indexOf(job), 1)
    },

    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

const PROBE = '.super-slurper-connectivity-precheck'

function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))
}
