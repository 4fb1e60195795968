import { count, counted } from '../../core/amounts.ts'
import { Cancelled, Problem } from '../../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/mastodon-here.ts'
import type { Change, Clock, Finding, Step, World } from '../../plan/step.ts'
import { noted } from '../../services/checkpoint/port.ts'
import type { BucketRef, SlurperFailure, SlurperSource } from '../../services/cloudflare/port.ts'
import type { S3Port } from '../../services/s3/port.ts'
import { lookAtHeaders } from '../compare/headers.ts'
import type { Migration } from '../migration.ts'
import { aborted, cannotRead, cannotWrite, paused, wrongJurisdiction } from './advice.ts'
import {
  type SlurperPart,
  type SlurperTotal,
  slurperParts,
  slurperPrefixes,
  slurperTotal,
} from './jobs.ts'
import { type Watched, watchSlurper } from './watch.ts'

/** From where to where Super Slurper copies. */
export interface Slurp {
  /** The bucket on R2. */
  readonly at: BucketRef
  /** The old bucket, or why it can't be read so. */
  readonly source: SlurperSource | Problem
}

const NAMED = 10
/** Log entries that are read for their reasons. */
const READ = 100
const SAMPLED = 10

/** What the jobs did not copy, with their log's reasons: one warning each, the first ones alone. */
async function leftBehind(
  ids: readonly string[],
  { failed }: SlurperTotal,
  failures: (id: string, limit: number) => Promise<readonly SlurperFailure[]>,
): Promise<string[]> {
  const logs = await Promise.all(ids.map((id) => failures(id, READ)))
  const entries = logs.flat()
  if (entries.length === 0 && failed === 0) return []
  const named = entries.slice(0, NAMED).map(({ key, reason }) => `${key ?? 'a job'}: ${reason}`)
  const skipped = entries.filter((entry) => entry.skipped).length
  const all = [
    ...(failed > 0 ? [`${counted(failed, 'object')} failed`] : []),
    ...(skipped > 0 ? [`${skipped >= READ ? 'many' : count(skipped)} passed over`] : []),
  ]
  const what = all.length > 0 ? all.join(', ') : 'A job had trouble'
  return [`Super Slurper: ${what}. The copy with rclone after it brings what is missing.`, ...named]
}

/**
 * Whether copies have the Cache-Control that Mastodon gives its objects; Cloudflare does not say whether
 * Super Slurper keeps it. One LIST and a few HEAD requests.
 */
async function sampleCacheControl(bucket: S3Port): Promise<string[]> {
  const keys = await bucket.list('', SAMPLED)
  const expected = { contentType: undefined, cacheControl: MEDIA_CACHE_CONTROL }
  const { sampled, wrong } = await lookAtHeaders(bucket, keys, () => expected)
  if (wrong.objects === 0) return []
  return [
    `Of ${counted(sampled, 'copied object')} looked at, ${count(wrong.objects)} lack the Cache-Control that Mastodon sets: browsers would ask for them again and again.`,
    'To put it right for all of them at once, make a Cache Rule for the media host in the dashboard (Caching > Cache Rules): Edge TTL and Browser TTL of a year, overriding the origin.',
  ]
}

type At = Pick<World, 'cloudflare'> & { readonly clock: Clock }

/**
 * Lets Super Slurper carry the media from another provider: one job a prefix, objects that are there
 * stay. The jobs run at Cloudflare, also while nobody watches; a later run finds them again. What they
 * left behind is for the copy that follows, which lists both sides. Problems: `slurper-*`.
 */
export function slurp(migration: Migration, { at, source }: Slurp): Step<'cloudflare' | 'clock'> {
  const { accountId } = at
  const { selection, checkpoint, to } = migration
  let watched: Watched | undefined

  async function look({ cloudflare }: At) {
    if (source instanceof Problem) throw source
    if (at.jurisdiction === 'fedramp-high') throw wrongJurisdiction()
    const places = { source, target: { ...at, key: to.key } }
    const prefixes = slurperPrefixes(selection)
    const known = (await checkpoint.read())?.slurperJobs ?? []
    const jobs = await cloudflare.slurper.listJobs(accountId, places)
    return { places, parts: slurperParts(prefixes, jobs, new Set(known)), known }
  }

  return {
    id: 'super-slurper',
    title: 'Super Slurper',

    async look(world): Promise<Finding> {
      const { slurper } = world.cloudflare
      const { places, parts } = await look(world)
      if (parts.every(({ state }) => state === 'completed')) {
        return ended(migration, world, { at, parts, isFresh: watched !== undefined })
      }
      if (parts.some(({ state }) => state === 'missing')) {
        const [reads, writes] = await Promise.all([
          slurper.canRead(accountId, places.source),
          slurper.canWrite(accountId, places.target),
        ])
        if (!reads) return { is: 'blocked', problem: cannotRead(migration.source.name) }
        if (!writes) return { is: 'blocked', problem: cannotWrite(at.bucket) }
      }
      return { is: 'change', changes: changes(migration, parts) }
    },

    async change(world) {
      const { slurper } = world.cloudflare
      const { places, parts, known } = await look(world)
      try {
        watched = await watchSlurper({
          migration,
          clock: world.clock,
          parts,
          progress: (id) => slurper.progress(accountId, id),
          resume: (id) => slurper.resume(accountId, id),
          create: (prefix) =>
            slurper.createJob(accountId, { ...places, ...(prefix === '' ? {} : { prefix }) }),
          note: (ids) => noted(checkpoint, { slurperJobs: [...new Set([...known, ...ids])] }),
        })
      } catch (error) {
        if (error instanceof Cancelled) for (const line of goesOn) migration.say(line)
        throw error
      }
      if (watched.end === 'paused') throw paused(watched.total)
      if (watched.end === 'aborted') throw aborted(watched.total)
      return {}
    },
  }
}

const JOBS = 'https://dash.cloudflare.com/?to=/:account/r2/slurper'
const goesOn = [
  'Super Slurper goes on at Cloudflare, also without this program.',
  `See, pause or abort its jobs at ${JOBS}`,
  'To watch again and go on from there, run the same command again.',
]

function changes({ source, to }: Migration, parts: readonly SlurperPart[]): Change[] {
  const of = (state: SlurperPart['state']) => parts.filter((part) => part.state === state)
  const [missing, paused, running] = [of('missing'), of('paused'), of('running')]
  const named = missing.map(({ prefix }) => prefix).join(', ')
  const what = [
    ...(missing.length > 0
      ? [
          `give Cloudflare the key of ${source.name}, to read there`,
          `let Super Slurper copy ${named === '' ? 'everything' : named} from ${source.name} into ${to.bucket}; objects that are there stay`,
        ]
      : []),
    ...(paused.length > 0 ? [`let ${counted(paused.length, 'paused job')} go on`] : []),
    ...(running.length > 0 ? [`watch ${counted(running.length, 'job')} under way`] : []),
  ]
  return what.map((one) => ({ what: one, risk: 'safe' }))
}

async function ended(
  migration: Migration,
  { cloudflare }: At,
  about: { at: BucketRef; parts: readonly SlurperPart[]; isFresh: boolean },
): Promise<Finding> {
  const { accountId } = about.at
  const ids = about.parts.flatMap(({ jobId }) => jobId ?? [])
  const states = await Promise.all(ids.map((id) => cloudflare.slurper.progress(accountId, id)))
  const total = slurperTotal(states.flatMap((state) => state ?? []))
  const { transferred, skipped, failed } = total
  const left = await leftBehind(ids, total, (id, limit) =>
    cloudflare.slurper.failures(accountId, id, limit),
  )
  const headers = about.isFresh ? await sampleCacheControl(migration.bucket()) : []
  const note = `${counted(transferred, 'object')} copied, ${counted(skipped, 'object')} skipped, ${failed} failed`
  return { is: 'ready', note, warnings: [...left, ...headers] }
}

/**
 * Pauses or aborts Super Slurper's jobs from the old bucket to the new one. What is copied stays; running
 * the migration again lets them go on, or starts new ones for what is missing.
 */
export function holdSlurper(
  { to }: Pick<Migration, 'to'>,
  { at, source, wish }: Slurp & { readonly wish: 'pause' | 'abort' },
): Step<'cloudflare'> {
  type Cloudflare = Parameters<Step<'cloudflare'>['look']>[0]['cloudflare']
  const holds = wish === 'pause' ? ['running'] : ['running', 'paused']

  async function jobs({ slurper }: Cloudflare) {
    if (source instanceof Problem) throw source
    const places = { source, target: { ...at, key: to.key } }
    const all = await slurper.listJobs(at.accountId, places)
    return all.filter(({ status }) => holds.includes(status))
  }

  return {
    id: 'super-slurper',
    title: 'Super Slurper',

    async look({ cloudflare }): Promise<Finding> {
      const found = await jobs(cloudflare)
      if (found.length === 0) return { is: 'ready', note: `no job to ${wish}` }
      const what = `${wish} ${counted(found.length, 'job')}; what is copied stays`
      return { is: 'change', changes: [{ what, risk: 'safe' }] }
    },

    async change({ cloudflare }) {
      const { slurper } = cloudflare
      for (const { id } of await jobs(cloudflare)) {
        await (wish === 'pause' ? slurper.pause(at.accountId, id) : slurper.abort(at.accountId, id))
      }
      return {}
    },
  }
}
