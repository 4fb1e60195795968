import * as z from 'zod'
import { leftOutReasons } from '../migrate/selection.ts'

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
