import { fewAtOnce } from '../../core/few-at-once.ts'
import type { Comparison, WrongHeader } from '../../plan/comparison.ts'
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
