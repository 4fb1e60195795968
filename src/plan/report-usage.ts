import * as z from 'zod'

const amount = z.object({ objects: z.number(), bytes: z.number() })

/** Requests by class; `unlisted`: of a name that the price list does not have, in no bill here. */
const requests = z.object({
  classA: z.number(),
  classB: z.number(),
  free: z.number(),
  unlisted: z.number(),
})

const use = z.object({
  gbMonths: z.number(),
  classA: z.number(),
  classB: z.number(),
  /** Dollars. */
  bill: z.object({
    storage: z.number(),
    classA: z.number(),
    classB: z.number(),
    total: z.number(),
  }),
})

/** What a bucket holds and what an account used, as the JSON report holds it. */
export const usageSchema = z.object({
  /** RFC 3339. */
  at: z.string(),
  bucket: z.string(),
  stored: amount.extend({
    /** Class A requests that this list took. */
    listRequests: z.number(),
    /** Kinds that have objects, in a fixed order. */
    kinds: z.array(
      amount.extend({
        class: z.string(),
        title: z.string(),
        ages: z.array(amount.extend({ days: z.number().nullable() })),
      }),
    ),
    /** By the time since an object came into the bucket: up to so many days; null: older. */
    ages: z.array(amount.extend({ days: z.number().nullable() })),
    /** Of types that Cloudflare's cache leaves alone unless a rule says otherwise. */
    notCachedByDefault: amount,
  }),
  /** Of the whole account, from Cloudflare's analytics; null where they could not be read. */
  analytics: z
    .object({
      /** UTC days, the oldest first; stored is the peak of the day. */
      days: z.array(requests.extend({ day: z.string(), ...amount.shape })),
      /** Thirty days, the dearest first; 401 and 403 are not charged and not among them. */
      operations: z.array(
        z.object({
          action: z.string(),
          class: z.enum(['A', 'B', 'free', 'unlisted']),
          requests: z.number(),
          /** Those to other buckets of the account. */
          elsewhere: z.number(),
          /** That found nothing (404). */
          notFound: z.number(),
          /** Dollars, as if nothing were free. */
          listPrice: z.number(),
        }),
      ),
    })
    .nullable(),
  /** Why there are no analytics. */
  withoutAnalytics: z.string().nullable(),
  /** The calendar month (UTC). */
  month: z.object({
    first: z.string(),
    days: z.number(),
    /** Null without analytics. */
    soFar: use.nullable(),
    /** Without analytics: what is stored, kept for a whole month, and no request. */
    expected: use,
  }),
  causes: z.array(z.object({ fact: z.string(), advice: z.string() })),
  /** What could be saved each month, in dollars. */
  savings: z.array(amount.extend({ how: z.string(), dollars: z.number() })),
  prices: z.object({ readOn: z.string(), source: z.string() }),
})

export type Usage = z.infer<typeof usageSchema>
