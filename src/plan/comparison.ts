import * as z from 'zod'

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
