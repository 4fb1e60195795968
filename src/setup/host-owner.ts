import { type Jurisdiction, jurisdictions } from '../core/jurisdictions.ts'
import { Problem } from '../core/problem.ts'
import { fewAtOnce } from '../core/streams.ts'
import type { BucketRef, CloudflarePort, DnsRecord } from '../services/cloudflare/port.ts'

/** Which bucket of an account a host name is attached to, as far as it could be asked. */
export interface HostOwner {
  readonly owner: BucketRef | undefined
  /** What could not be asked, in words: jurisdictions, or single buckets; empty: nothing. */
  readonly unasked: readonly string[]
}

type Asked = Pick<CloudflarePort, 'listBuckets' | 'findCustomDomain'>

const AT_ONCE = 8

/**
 * How many buckets are asked: where something points at R2, and where nothing does. Cloudflare takes
 * 1200 calls in five minutes (Cloudflare docs, API rate limits), and these are not all.
 */
export const mostBuckets = { suspected: 500, unsuspected: 50 } as const

/** The buckets of the account, in each jurisdiction, are asked for the host; a refusal is no answer. */
export async function findHostOwner(
  cloudflare: Asked,
  accountId: string,
  host: string,
  most: number = mostBuckets.suspected,
): Promise<HostOwner> {
  const unasked: string[] = []
  const lists = await Promise.all(
    jurisdictions.map(async (jurisdiction) => {
      const names = await unlessRefused(cloudflare.listBuckets(accountId, jurisdiction))
      if (names === undefined) unasked.push(`the jurisdiction ${jurisdiction}`)
      return (names ?? []).map((bucket) => ({ accountId, bucket, jurisdiction }))
    }),
  )
  const all: BucketRef[] = lists.flat()
  if (all.length > most) unasked.push(`${all.length - most} more buckets`)
  let owner: BucketRef | undefined
  const asking = fewAtOnce(AT_ONCE)
  for (const at of all.slice(0, most)) {
    if (owner) break
    await asking.begin(async () => {
      const found = await unlessRefused(
        cloudflare.findCustomDomain(at, host).then((domain) => domain !== undefined),
      )
      if (found === undefined) unasked.push(`the bucket ${nameOf(at)}`)
      if (found) owner = at
    })
  }
  await asking.end()
  return { owner, unasked: owner ? [] : unasked }
}

async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

/** As R2 makes it, or as somebody makes it by hand to one of R2's own names. */
export function isR2Record({ type, content }: DnsRecord): boolean {
  const target = content.toLowerCase().replace(/\.$/, '')
  return type === 'CNAME' && /(^|\.)(r2\.dev|r2\.cloudflarestorage\.com)$/.test(target)
}

/** `media`, or `media (jurisdiction eu)`. */
export function nameOf({ bucket, jurisdiction }: Pick<BucketRef, 'bucket' | 'jurisdiction'>) {
  return jurisdiction === 'default' ? bucket : `${bucket} (jurisdiction ${jurisdiction})`
}

/** Where a custom domain is taken off a bucket; its DNS record goes with it (Cloudflare docs, R2 public buckets). */
export function whereToDetach(host: string, owner: BucketRef): string {
  return `open ${nameOf(owner)} at https://dash.cloudflare.com/?to=/:account/r2, and at Settings, Custom Domains, remove ${host}; its DNS record goes with it`
}

interface Wish {
  readonly host: string
  readonly at: { readonly jurisdiction: Jurisdiction }
}

/** Problem `media-host-attached`: the host serves another bucket of the account. */
export function attachedElsewhere({ host, at }: Wish, owner: BucketRef): Problem {
  const place =
    owner.jurisdiction === at.jurisdiction ? '' : ` --jurisdiction ${owner.jurisdiction}`
  return new Problem({
    code: 'media-host-attached',
    what: `${host} serves the bucket ${nameOf(owner)} of this account.`,
    why: 'A host name can serve only one bucket.',
    next: `To use that bucket: --bucket ${owner.bucket}${place}. To keep it as it is, choose another --media-host. If nothing needs ${host} there: ${whereToDetach(host, owner)}; then run this again.`,
    exit: 2,
  })
}

/** Problem `media-host-orphaned`: a record that points at R2, and no bucket that it belongs to. */
export function ownedByNone(
  host: string,
  zone: string,
  { type, content }: DnsRecord,
  unasked: readonly string[],
): Problem {
  const none = unasked.length === 0
  return new Problem({
    code: 'media-host-orphaned',
    what: none
      ? `${host} has a DNS record that points at R2 (${type} ${content}), and no bucket of this account has that name attached.`
      : `${host} has a DNS record that points at R2 (${type} ${content}), and none of the buckets that could be asked has that name attached.`,
    why: none
      ? 'It is left over, or was made by hand. R2 makes the record itself, and refuses a name that has one.'
      : `Cloudflare did not answer for ${unasked.join(', ')}: the name may be attached there. R2 refuses a name that has a record.`,
    next: `${none ? 'Remove the record' : 'Look there first; when no bucket needs it, remove the record'} at https://dash.cloudflare.com/?to=/:account/${zone}/dns/records, and run this again. If the dashboard has it locked, only Cloudflare's support can remove it; until then, choose another --media-host.`,
    exit: 2,
  })
}
