import { fewAtOnce } from '../../core/streams.ts'
import { kept } from '../../moving/tally.ts'
import type { Comparison, WrongHeader } from '../../plan/report-schema.ts'
import type { S3Port } from '../../services/s3/port.ts'

/** What an object should be stored with; what is undefined is not looked at. */
export type ExpectedHeaders = (key: string) => {
  readonly contentType: string | undefined
  readonly cacheControl: string | undefined
}

const ASKED_AT_ONCE = 8
const EXAMPLES = 20

/** One HEAD request for each key. An object that is gone meanwhile counts as not sampled. */
export async function lookAtHeaders(
  bucket: S3Port,
  keys: readonly string[],
  expected: ExpectedHeaders,
): Promise<NonNullable<Comparison['headers']>> {
  const wrong = new Map<string, WrongHeader[]>()
  let sampled = 0
  const asking = fewAtOnce(ASKED_AT_ONCE)
  for (const key of keys) {
    await asking.begin(async () => {
      const head = await bucket.head(key)
      if (!head) return
      sampled += 1
      const { contentType, cacheControl } = expected(key)
      const pairs = [
        ['Content-Type', head.contentType, contentType, mediaType],
        ['Cache-Control', head.cacheControl, cacheControl, directives],
      ] as const
      const bad = pairs.flatMap(([header, is, wish, read]) =>
        wish === undefined || read(is ?? '') === read(wish)
          ? []
          : [{ key, header, is: is ?? null, expected: wish }],
      )
      if (bad.length > 0) wrong.set(key, bad)
    })
  }
  await asking.end()
  const examples = keys.flatMap((key) => wrong.get(key) ?? []).slice(0, EXAMPLES)
  return { sampled, wrong: { objects: wrong.size, examples } }
}

function mediaType(header: string): string {
  return (header.split(';')[0] ?? '').trim().toLowerCase()
}

function directives(header: string): string {
  return header
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
    .sort()
    .join(',')
}

/** HEAD requests that a sample may cost. */
export const SAMPLED = 50
/** Keys that are kept of a class: the first one, and those that happen to have the least sums. */
const OF_A_CLASS = 10
const CLASSES = 64

interface Candidate {
  readonly key: string
  readonly sum: number
}

/**
 * Keys to look at more closely, the same ones in every run: of each class the first, and some spread
 * over it. Memory does not depend on how many are offered.
 */
export class HeaderSample {
  readonly #classes = new Map<string, Candidate[]>()

  offer(key: string): void {
    const name = classOf(key)
    const chosen = this.#classes.get(name)
    if (!chosen) {
      if (this.#classes.size < CLASSES) this.#classes.set(kept(name), [{ key: kept(key), sum: -1 }])
      return
    }
    const sum = sumOf(key)
    const last = chosen.at(-1)
    if (chosen.length >= OF_A_CLASS && last && sum >= last.sum) return
    const at = chosen.findIndex((one) => one.sum > sum)
    chosen.splice(at === -1 ? chosen.length : at, 0, { key: kept(key), sum })
    if (chosen.length > OF_A_CLASS) chosen.pop()
  }

  /** At most SAMPLED, as evenly from all classes as they allow. */
  keys(): string[] {
    const keys: string[] = []
    for (let round = 0; round < OF_A_CLASS; round++) {
      for (const chosen of this.#classes.values()) {
        const { key } = chosen[round] ?? {}
        if (key !== undefined && keys.length < SAMPLED) keys.push(key)
      }
    }
    return keys
  }
}

/** As Mastodon lays them out: `accounts/avatars`, `cache/accounts/avatars`. */
function classOf(key: string): string {
  let end = -1
  for (let parts = key.startsWith('cache/') ? 3 : 2; parts > 0; parts--) {
    const next = key.indexOf('/', end + 1)
    if (next === -1) break
    end = next
  }
  return key.slice(0, Math.max(end, 0))
}

/** FNV-1a, 32 bits. */
function sumOf(key: string): number {
  let sum = 0x811c9dc5
  for (let at = 0; at < key.length; at++) sum = Math.imul(sum ^ key.charCodeAt(at), 0x01000193)
  return sum >>> 0
}
