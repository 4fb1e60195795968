/**
 * What R2 asks for Standard storage, US dollars, and what of it is free each month for an account.
 * Read on 2026-11-29 at developers.cloudflare.com/r2/pricing. Use is rounded up to whole units there.
 */
export const prices = {
  readOn: '2026-11-29',
  source: 'https://developers.cloudflare.com/r2/pricing/',
  classAMillion: 4.5,
  classBMillion: 0.36,
  /** 1 GB is 10^9 bytes; a GB-month is the peak of each day, averaged over the month. */
  gbMonth: 0.015,
  free: { classA: 1_000_000, classB: 10_000_000, gbMonths: 10 },
} as const

const MILLION = 1_000_000

/** `unlisted`: the price list does not name it. */
export type OperationClass = 'A' | 'B' | 'free' | 'unlisted'

const named: readonly (readonly [OperationClass, names: string])[] = [
  [
    'A',
    'ListBuckets PutBucket ListObjects PutObject CopyObject CompleteMultipartUpload CreateMultipartUpload LifecycleStorageTierTransition ListMultipartUploads UploadPart UploadPartCopy ListParts PutBucketEncryption PutBucketCors PutBucketLifecycleConfiguration',
  ],
  [
    'B',
    'HeadBucket HeadObject GetObject UsageSummary GetBucketEncryption GetBucketLocation GetBucketCors GetBucketLifecycleConfiguration',
  ],
  ['free', 'DeleteObject DeleteBucket AbortMultipartUpload'],
]

const classes = new Map(
  named.flatMap(([name, actions]) => actions.split(' ').map((action) => [action, name] as const)),
)

/** The class of an operation by the name that the price list and the analytics give it. */
export function classOfOperation(action: string): OperationClass {
  return classes.get(action) ?? 'unlisted'
}

/** Dollars for so many requests, as if nothing were free and nothing rounded. */
export function listPrice(action: string, requests: number): number {
  const price = { A: prices.classAMillion, B: prices.classBMillion, free: 0, unlisted: 0 }
  return (requests / MILLION) * price[classOfOperation(action)]
}

/** What an account used in a month. */
export interface MonthlyUse {
  readonly gbMonths: number
  readonly classA: number
  readonly classB: number
}

/** Dollars. */
export interface Bill {
  readonly storage: number
  readonly classA: number
  readonly classB: number
  readonly total: number
}

/** What is asked for a month's use, beyond what is free. */
export function billFor({ gbMonths, classA, classB }: MonthlyUse): Bill {
  const { free } = prices
  const bill = {
    storage: units(gbMonths - free.gbMonths, 1) * prices.gbMonth,
    classA: units(classA - free.classA, MILLION) * prices.classAMillion,
    classB: units(classB - free.classB, MILLION) * prices.classBMillion,
  }
  return { ...bill, total: bill.storage + bill.classA + bill.classB }
}

function units(beyondFree: number, unit: number): number {
  return Math.ceil(Math.max(0, beyondFree) / unit)
}

/** `$0.00`, `$12.34` */
export function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`
}
