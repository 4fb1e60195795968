import * as z from 'zod'

const some = z.object({ objects: z.number(), examples: z.array(z.string()) })

/** What went from the bucket, as the JSON report of `purge` holds it. Times are RFC 3339. */
export const goneSchema = z.object({
  /** Where the knowledge begins; null: nothing was known before this list. */
  knownFrom: z.string().nullable(),
  /** `copy`: it begins with what `migrate` had copied until then. */
  begins: z.enum(['list', 'copy']).nullable(),
  /** Lists before this one that were compared. */
  lists: z.number(),
  /** Milliseconds: what was stored and deleted again within is in no list. */
  longestGap: z.number(),
  /** In the bucket now. */
  objects: z.number(),
  /** Where the list is kept. */
  path: z.string(),
  /** Neither in the bucket nor known to Mastodon; null with `--keep-list` alone. */
  gone: some
    .extend({ kinds: z.array(z.object({ title: z.string(), objects: z.number() })) })
    .nullable(),
  /** Not in the bucket, and Mastodon still names them: not purged. */
  missing: some,
  /** Gone as well, and nothing tells whether Mastodon had stored them: not purged. */
  others: z.number(),
  /** On the disk still; null where it was not looked at. */
  disk: z
    .object({
      folder: z.string(),
      objects: z.number(),
      bytes: z.number(),
      examples: z.array(z.object({ key: z.string(), size: z.number() })),
    })
    .nullable(),
})

export type Gone = z.infer<typeof goneSchema>
