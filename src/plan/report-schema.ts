import * as z from 'zod'
import { goneSchema } from './report-gone.ts'
import { usageSchema } from './report-usage.ts'
import { checkAreas } from './verdict.ts'

/** Why a copy leaves files out. */
export const leftOutReasons = [
  'cache',
  'skipped',
  'private',
  'suspended',
  'unfinished',
  'name',
] as const

export type LeftOut = (typeof leftOutReasons)[number]

const amount = z.object({ objects: z.number(), bytes: z.number() })
const named = amount.extend({
  /** The first few keys. */
  examples: z.array(z.string()),
})

const costs = z.object({
  classA: z.number(),
  gbMonths: z.number(),
  classADollars: z.number(),
  storageDollars: z.number(),
  firstMonthDollars: z.number(),
  hours: z.number(),
})

/** What a survey of the media found, as the JSON report holds it. */
export const mediaSurveySchema = z.object({
  /** RFC 3339: when it began. */
  at: z.string(),
  source: z.string(),
  kind: z.enum(['local', 's3']),
  total: amount,
  /** Classes that have objects, in a fixed order. */
  classes: z.array(
    amount.extend({
      class: z.string(),
      title: z.string(),
      /** How Mastodon gets these again when they aren't there; null: it can't. */
      again: z.string().nullable(),
      private: z.boolean(),
    }),
  ),
  /** What Mastodon could get again. */
  again: amount,
  /** What a copy with the chosen selection carries. */
  copied: amount,
  leftOut: z.partialRecord(z.enum(leftOutReasons), amount),
  /** `closed`: every file is 0600, so the mode says nothing about suspensions. */
  usualModes: z.enum(['open', 'closed']),
  /** Files that only their owner may read among others: media of suspended users. */
  suspended: named,
  private: named,
  /** Keys that rclone can't be told of: they are uploaded without it. */
  oddNames: named,
  oddities: z.array(
    z.object({ kind: z.string(), count: z.number(), examples: z.array(z.string()) }),
  ),
  costs,
  pace: z.object({
    objectsPerSecond: z.number(),
    bytesPerSecond: z.number(),
    /** Of a request to the bucket; null when it was not measured. */
    latencyMs: z.number().nullable(),
  }),
  /** What leaving out cache/ would save; null when that is chosen, or nothing is there. */
  onlyLocal: z
    .object({
      copied: amount,
      saves: amount.extend({ firstMonthDollars: z.number(), hours: z.number() }),
      costs,
    })
    .nullable(),
})

export type MediaSurvey = z.infer<typeof mediaSurveySchema>
export type Amount = z.infer<typeof amount>

const tally = z.object({
  objects: z.number(),
  /** At the source, or in the bucket where the source has none. */
  bytes: z.number(),
  /** The first few keys. */
  examples: z.array(z.string()),
})

const wrongHeader = z.object({
  key: z.string(),
  header: z.enum(['Content-Type', 'Cache-Control']),
  is: z.string().nullable(),
  expected: z.string(),
})

/** What a comparison of source and bucket found, as the JSON report holds it. */
export const comparisonSchema = z.object({
  /** RFC 3339: when it began. */
  at: z.string(),
  source: z.string(),
  /** Nothing is missing, nothing differs, and everything at the source could be read. */
  equal: z.boolean(),
  same: z.object({ objects: z.number(), bytes: z.number() }),
  missing: tally,
  sizeDiffers: tally,
  contentDiffers: tally,
  /** At the source, where nothing can be said about the bucket. */
  unreadable: tally,
  /** In the bucket since this migration put it there, and gone at the source. */
  extra: tally,
  /** In the bucket only, from Mastodon or others: as it should be after the switch. */
  uploaded: tally,
  /** Was in the bucket when both sides were equal; Mastodon deleted it there after the switch. */
  deletedSince: tally,
  /** At the source, by why the selection leaves it out. */
  leftOut: z.record(z.string(), z.number()),
  /** At the source: links, pipes and names that are not copied as they stand. */
  oddities: z.number(),
  /** Null unless contents were compared. */
  contents: z.object({ compared: z.number(), notComparable: z.number() }).nullable(),
  /** Null unless a sample was taken. */
  headers: z
    .object({
      sampled: z.number(),
      wrong: z.object({ objects: z.number(), examples: z.array(wrongHeader) }),
    })
    .nullable(),
})

export type Comparison = z.infer<typeof comparisonSchema>
export type WrongHeader = z.infer<typeof wrongHeader>

/** At the source, and not as they are there in the bucket. */
export function lostFiles(comparison: Comparison): number {
  const { missing, sizeDiffers, contentDiffers, unreadable } = comparison
  return missing.objects + sizeDiffers.objects + contentDiffers.objects + unreadable.objects
}

/** A kind of media that Mastodon stores below a prefix of its own. */
export interface MediaClass {
  /** Stable: the JSON report names classes by it. */
  readonly name: string
  readonly title: string
  readonly prefix: string
  /** How Mastodon gets it again, words for a table with tootctl commands; undefined: it is lost. */
  readonly again?: string
  /** Not meant for everyone who has the address. */
  readonly private?: true
  /** Suspending an account takes these files' permissions away, and those of no other class. */
  readonly closable?: true
}

const CARDS = 'with new posts only; old ones stay without'

/** From Mastodon's attachment definitions; the first prefix that fits counts. */
export const mediaClasses: readonly MediaClass[] = [
  { name: 'avatars', title: 'avatars', prefix: 'accounts/avatars/' },
  { name: 'headers', title: 'headers', prefix: 'accounts/headers/' },
  { name: 'attachments', title: 'attachments', prefix: 'media_attachments/', closable: true },
  { name: 'emoji', title: 'emoji', prefix: 'custom_emojis/' },
  { name: 'siteUploads', title: 'site uploads', prefix: 'site_uploads/' },
  {
    name: 'cachedAvatars',
    title: 'avatars of others',
    prefix: 'cache/accounts/avatars/',
    again: 'tootctl accounts refresh --all',
  },
  {
    name: 'cachedHeaders',
    title: 'headers of others',
    prefix: 'cache/accounts/headers/',
    again: 'tootctl accounts refresh --all',
  },
  {
    name: 'cachedAttachments',
    title: 'attachments of others',
    prefix: 'cache/media_attachments/',
    again: 'when looked at, after media remove --days 0',
    closable: true,
  },
  {
    name: 'cachedEmoji',
    title: 'emoji of others',
    prefix: 'cache/custom_emojis/',
    again: 'with new posts, after emoji purge --remote-only',
  },
  { name: 'previewCards', title: 'preview cards', prefix: 'cache/preview_cards/', again: CARDS },
  // Before 3.1.4 there was no cache/.
  { name: 'previewCards', title: 'preview cards', prefix: 'preview_cards/', again: CARDS },
  {
    name: 'backups',
    title: 'archives of users',
    prefix: 'backups/',
    again: 'users ask for a new one; kept for 7 days',
    private: true,
  },
  { name: 'imports', title: 'imports (leftovers)', prefix: 'imports/', private: true },
  {
    name: 'cachedOther',
    title: 'other below cache/',
    prefix: 'cache/',
  },
  { name: 'other', title: 'other', prefix: '' },
]

const other: MediaClass = { name: 'other', title: 'other', prefix: '' }

/** The class of an object key. */
export function classOf(key: string): MediaClass {
  return mediaClasses.find(({ prefix }) => key.startsWith(prefix)) ?? other
}

const change = z.object({
  what: z.string(),
  risk: z.enum(['safe', 'public', 'destructive']),
  goes: z.literal(true).optional(),
})

const step = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(['ready', 'changed', 'would-change', 'failed', 'blocked', 'skipped']),
  note: z.string(),
  changes: z.array(change),
})

const check = z.object({
  id: z.string(),
  about: z.enum(checkAreas),
  title: z.string(),
  severity: z.enum(['fault', 'warning', 'note', 'ok', 'skipped']),
  saw: z.string(),
  matters: z.string().nullable(),
  next: z.string().nullable(),
})

/** What `--json` prints: one report on stdout. A contract; fields are added, never changed. */
export const reportSchema = z
  .object({
    command: z.string(),
    ok: z.boolean(),
    dryRun: z.boolean(),
    settings: z.record(z.string(), z.object({ value: z.unknown(), source: z.string() })),
    steps: z.array(step),
    checks: z.array(check),
    env: z
      .object({
        file: z.string().nullable(),
        backup: z.string().nullable(),
        changed: z.array(z.string()),
      })
      .nullable(),
    warnings: z.array(z.string()),
    next: z.array(z.string()),
    /** `migrate`: what is there to copy, and what that costs. */
    survey: mediaSurveySchema.optional(),
    /** `migrate`: what source and bucket hold, file by file. */
    comparison: comparisonSchema.optional(),
    /** The file with what this run told; null where it changed nothing, or there is none. */
    log: z.string().nullable(),
    /** `purge`: what each address answered afterwards. */
    purge: z
      .object({
        proofs: z.array(
          z.object({ url: z.string(), status: z.number(), cache: z.string().nullable() }),
        ),
        /** With `--deleted-since` and `--keep-list`. */
        since: goneSchema.optional(),
      })
      .optional(),
    /** `usage`: what is stored, what was asked, and what that costs. */
    usage: usageSchema.optional(),
    problem: z
      .object({ code: z.string(), what: z.string(), why: z.string(), next: z.string() })
      .nullable(),
  })
  .meta({ title: 'mastodon-r2 report', description: 'What a run of mastodon-r2 found and did.' })

export type Report = z.infer<typeof reportSchema>

/** JSON Schema (2020-12) of the report; `help --json-schema` prints it. */
export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema)
}
