import { Problem } from '../../core/problem.ts'
import type { SlurperJob, SlurperProgress } from '../../services/cloudflare/port.ts'
import type { Selection } from '../migration.ts'

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

/** Everything that Mastodon keeps, as deep as it can be told apart. */
const tree: Readonly<Record<string, readonly string[]>> = {
  '': [
    'accounts/',
    'backups/',
    'cache/',
    'custom_emojis/',
    'imports/',
    'media_attachments/',
    'preview_cards/',
    'site_uploads/',
  ],
  'accounts/': ['accounts/avatars/', 'accounts/headers/'],
  'cache/': [
    'cache/accounts/',
    'cache/custom_emojis/',
    'cache/media_attachments/',
    'cache/preview_cards/',
  ],
  'cache/accounts/': ['cache/accounts/avatars/', 'cache/accounts/headers/'],
  'cache/media_attachments/': [
    'cache/media_attachments/files/',
    'cache/media_attachments/thumbnails/',
  ],
  'media_attachments/': ['media_attachments/files/', 'media_attachments/thumbnails/'],
}

/**
 * The prefixes that together are what a selection copies, one job each: Super Slurper knows no exceptions.
 * `['']` is the whole bucket. Problem `slurper-selection` for what can't be said so.
 */
export function slurperPrefixes(selection: Selection): readonly string[] {
  const excluded = [
    ...(selection.onlyLocal ? ['cache/'] : []),
    ...(selection.withPrivate ? [] : ['backups/', 'imports/']),
    ...selection.skip,
  ]
  const prefixes = excluded.reduce<readonly string[]>(
    (left, skip) => left.flatMap((prefix) => without(prefix, skip)),
    [''],
  )
  if (prefixes.length === 0) throw nothingLeft()
  return prefixes
}

/** What remains of a prefix when a part of it is left out. */
function without(prefix: string, skip: string): readonly string[] {
  if (prefix.startsWith(skip)) return []
  if (!skip.startsWith(prefix)) return [prefix]
  const parts = tree[prefix]
  if (!parts) throw tooFine(skip, prefix)
  // A prefix that nothing of Mastodon's begins with leaves nothing out.
  return parts.flatMap((part) => without(part, skip))
}

function tooFine(skip: string, prefix: string): Problem {
  return new Problem({
    code: 'slurper-selection',
    what: `Super Slurper can't leave out ${skip} alone.`,
    why: `A job copies everything that begins with a prefix, such as ${prefix}, without exceptions.`,
    next: `Leave out --engine super-slurper (rclone takes any --skip), or run this with --skip ${prefix} or without --skip ${skip}.`,
    exit: 2,
  })
}

function nothingLeft(): Problem {
  return new Problem({
    code: 'slurper-nothing-left',
    what: 'Nothing is left to copy.',
    why: '--skip leaves out everything that Mastodon keeps.',
    next: 'Run this again with fewer --skip.',
    exit: 2,
  })
}
