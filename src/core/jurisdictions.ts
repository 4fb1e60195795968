/** Where a bucket's data may lie, as R2 names it (Cloudflare docs, r2/reference/data-location). */
export const jurisdictions = ['default', 'eu', 'us', 'fedramp', 'fedramp-high'] as const

export type Jurisdiction = (typeof jurisdictions)[number]

/** `default` where the name is none of R2's, or there is none. */
export function jurisdictionNamed(name: string | undefined): Jurisdiction {
  return jurisdictions.find((known) => known === name) ?? 'default'
}
