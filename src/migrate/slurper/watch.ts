import { count } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import type { Clock } from '../../plan/step.ts'
import type { SlurperProgress } from '../../services/cloudflare/port.ts'
import type { Migration } from '../migration.ts'
import { type SlurperPart, type SlurperTotal, slurperTotal } from './jobs.ts'

/** Where Super Slurper stands, at most `width` characters; it tells no bytes. `perSecond`: objects. */
export function slurperLine(
  { objects, transferred, skipped, failed }: SlurperTotal,
  perSecond: number | undefined,
  width: number,
): string {
  const parts = [
    `Super Slurper: ${count(transferred)} of ${count(objects)} objects found so far`,
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(perSecond === undefined ? [] : [`${count(Math.round(perSecond))}/s`]),
    ...(skipped > 0 ? [`${count(skipped)} skipped`] : []),
  ]
  while (parts.length > 1 && parts.join(', ').length > width) parts.pop()
  return parts.join(', ').slice(0, width)
}

export interface Watch {
  readonly migration: Pick<Migration, 'tell' | 'width'>
  readonly clock: Clock
  readonly parts: readonly SlurperPart[]
  progress(jobId: string): Promise<SlurperProgress | undefined>
  resume(jobId: string): Promise<void>
  /** Starts the job of a prefix and returns its id. */
  create(prefix: string): Promise<string>
  /** Remembers all jobs. */
  note(ids: readonly string[]): Promise<void>
}

export interface Watched {
  readonly end: 'completed' | 'paused' | 'aborted'
  readonly total: SlurperTotal
}

/** For so long Cloudflare's API may be out of reach before watching is given up; the jobs don't mind. */
const PATIENCE_MS = 1_800_000
const SETTLED_MS = 5_000
/** A job that is not there yet may be new; later it was ended and deleted by somebody. */
const UNSEEN_MS = 60_000

/**
 * Starts what is missing, lets go on what is paused, and watches until every job has ended or somebody
 * else pauses or aborts one. Jobs that Cloudflare does not take yet wait for the end of others.
 */
export async function watchSlurper(watch: Watch): Promise<Watched> {
  const { clock, parts } = watch
  const ids = parts.flatMap(({ jobId }) => jobId ?? [])
  const waiting = parts.filter(({ state }) => state === 'missing').map(({ prefix }) => prefix)
  if (ids.length > 0) await watch.note(ids)
  for (const { state, jobId } of parts) if (state === 'paused' && jobId) await watch.resume(jobId)

  const began = clock.now().getTime()
  let [first, lastSeen]: [number | undefined, number] = [undefined, began]
  let known: readonly SlurperProgress[] = []
  for (;;) {
    const active = known.filter(({ status }) => status === 'running').length
    await startWaiting(watch, waiting, ids, () => active > 0 || known.length < ids.length)
    const states = await tolerant(() => Promise.all(ids.map((id) => watch.progress(id))))
    const now = clock.now().getTime()
    if (states instanceof Problem) {
      if (now - lastSeen > PATIENCE_MS) throw states
      watch.migration.tell('Super Slurper goes on; its API does not answer at the moment')
    } else {
      lastSeen = now
      const absent: SlurperProgress = {
        ...nothing,
        status: now - began < UNSEEN_MS ? 'running' : 'aborted',
      }
      known = states.map((state) => state ?? absent)
      const total = slurperTotal(known)
      first ??= total.transferred
      const seconds = (now - began) / 1000
      const rate = now - began < SETTLED_MS ? undefined : (total.transferred - first) / seconds
      watch.migration.tell(slurperLine(total, rate, watch.migration.width))
      const is = (status: SlurperProgress['status']) => known.some((one) => one.status === status)
      if (!is('running')) {
        if (is('aborted')) return { end: 'aborted', total }
        if (is('paused')) return { end: 'paused', total }
        if (waiting.length === 0) return { end: 'completed', total }
      }
    }
    await clock.sleep(pollPause(now - began))
  }
}

const nothing: SlurperTotal = { objects: 0, transferred: 0, skipped: 0, failed: 0 }

/** One after the other, each noted at once; stops where Cloudflare takes no more while others run. */
async function startWaiting(
  watch: Watch,
  waiting: string[],
  ids: string[],
  isBusy: () => boolean,
): Promise<void> {
  for (let prefix = waiting[0]; prefix !== undefined; prefix = waiting[0]) {
    try {
      ids.push(await watch.create(prefix))
    } catch (error) {
      const isFull = error instanceof Problem && error.code === 'slurper-too-many-jobs'
      if (isFull && isBusy()) return
      throw error
    }
    waiting.shift()
    await watch.note(ids)
  }
}

/** What passes by itself is returned; everything else is thrown. */
async function tolerant<T>(ask: () => Promise<T>): Promise<T | Problem> {
  try {
    return await ask()
  } catch (error) {
    const passes = /^cloudflare-(unreachable|garbled|429|5\d\d)$/
    if (error instanceof Problem && passes.test(error.code)) return error
    throw error
  }
}

/** Milliseconds: a copy takes minutes to days, and Cloudflare counts every call. */
function pollPause(waited: number): number {
  return waited < 10_000 ? 500 : waited < 300_000 ? 5_000 : 20_000
}
