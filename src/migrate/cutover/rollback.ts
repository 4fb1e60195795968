import { cameMeanwhile } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import type { BringBackPort } from '../../services/media/port.ts'
import { isProbe } from '../../setup/proof.ts'
import type { Migration } from '../migration.ts'

export interface BroughtBack {
  /** Files that are in Mastodon's folder again. */
  readonly brought: number
  readonly folder: string | undefined
  /** Keys that are only in the bucket. */
  readonly left: readonly string[]
  /** Why the bucket could not be looked through to its end. */
  readonly unseen: string | undefined
}

/**
 * What Mastodon stored in the bucket while it was switched, and does not find any more now: every
 * object as young as the switch that the source does not have. One Class A request per 1,000 objects.
 */
export async function bringBackSince(
  { bucket, source, tell }: Pick<Migration, 'bucket' | 'source' | 'tell'>,
  port: BringBackPort | undefined,
  since: Date,
): Promise<BroughtBack> {
  // R2 tells times to the millisecond, its clock only to the second.
  const first = since.getTime() - 1_000
  const left: string[] = []
  let brought = 0
  let unseen: string | undefined
  try {
    tell('Looking for media that was stored in the bucket meanwhile')
    for await (const page of bucket().pages()) {
      for (const { key, lastModified } of page) {
        if (lastModified < first || isProbe(key)) continue
        if ((await source.find(key)) !== undefined) continue
        if (await isBack(key)) brought += 1
        else left.push(key)
      }
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    unseen = error.what
  }
  return { brought, folder: port?.folder, left, unseen }

  async function isBack(key: string): Promise<boolean> {
    if (port === undefined) return false
    try {
      return await port.add(key, (await bucket().get(key)).body)
    } catch (error) {
      if (error instanceof Problem) return false
      throw error
    }
  }
}

const NAMED = 20

/** For the report; empty when nothing had been stored. */
export function broughtBackWords(
  { brought, folder, left, unseen }: BroughtBack,
  bucket: string,
): string {
  const words: string[] = []
  if (brought > 0) words.push(`${cameMeanwhile(brought)} fetched to ${folder}.`)
  if (left.length > 0) {
    const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : ''
    words.push(
      `Only in the bucket ${bucket}, and to be copied back by you: ${left.slice(0, NAMED).join(', ')}${more}.`,
    )
  }
  if (unseen !== undefined) {
    words.push(
      `The bucket ${bucket} could not be looked through for media that came in meanwhile: ${unseen}`,
    )
  }
  return words.join(' ')
}
