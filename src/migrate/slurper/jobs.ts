import type { SlurperJob, SlurperProgress } from '../../services/cloudflare/slurper-port.ts'

/** One prefix of a migration, and the job that copies it. */
export interface SlurperPart {
  readonly prefix: string
  /** `missing`: no job, or one that was aborted. */
  readonly state: 'missing' | 'running' | 'paused' | 'completed'
  readonly jobId: string | undefined
}

/**
 * Which job takes care of which prefix. Jobs under way are taken on whoever made them; ended ones count
 * only when this migration made them (`known`), as others may be of another time.
 */
export function slurperParts(
  prefixes: readonly string[],
  jobs: readonly SlurperJob[],
  known: ReadonlySet<string>,
): readonly SlurperPart[] {
  return prefixes.map((prefix) => {
    const own = jobs.filter(({ from }) => bare(from.prefix) === bare(prefix))
    const of = (status: SlurperJob['status']) => own.find((job) => job.status === status)
    const completed = own.find(({ id, status }) => status === 'completed' && known.has(id))
    const job = of('running') ?? of('paused') ?? completed
    const state = job && job.status !== 'aborted' ? job.status : 'missing'
    return { prefix, state, jobId: job?.id }
  })
}

/** All jobs of a migration as one. */
export type SlurperTotal = Omit<SlurperProgress, 'status'>

export function slurperTotal(jobs: readonly SlurperProgress[]): SlurperTotal {
  const sum = (name: keyof SlurperTotal) => jobs.reduce((total, job) => total + job[name], 0)
  return {
    objects: sum('objects'),
    transferred: sum('transferred'),
    skipped: sum('skipped'),
    failed: sum('failed'),
  }
}

function bare(prefix: string): string {
  return prefix.replace(/\/+$/, '')
}
