import { counted } from '../../core/amounts.ts'
import { Cancelled, Problem } from '../../core/problem.ts'
import type { Change, Clock, Finding, Step, World } from '../../plan/step.ts'
import { noted } from '../../services/checkpoint/noted.ts'
import type { BucketRef } from '../../services/cloudflare/port.ts'
import type { Migration } from '../migration.ts'
import { type SlurperPart, slurperParts, slurperTotal } from './jobs.ts'
import type { Slurp } from './slurp.ts'
import { leftBehind, sampleCacheControl } from './slurper-aftermath.ts'
import { slurperPrefixes } from './slurper-prefixes.ts'
import { aborted, cannotRead, cannotWrite, paused, wrongJurisdiction } from './slurper-problems.ts'
import { type Watched, watchSlurper } from './watch.ts'

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
