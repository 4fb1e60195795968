import { counted } from '../core/amounts.ts'
import { KeyPack } from '../core/key-pack.ts'
import { Cancelled } from '../core/problem.ts'
import { type KeyBatches, unionOf } from '../core/sorted-keys.ts'
import { merge } from '../core/streams.ts'
import { sideBySide } from '../moving/side-by-side.ts'
import type { S3Port } from '../services/s3/port.ts'
import { isProbe } from '../setup/proof.ts'
import { isMastodons } from './still-known.ts'

export interface LookingBack {
  /** What the newest list has, or what stands for it. */
  readonly before: KeyBatches
  /** What went before that, from each interval that counts. */
  readonly earlier: readonly KeyBatches[]
  readonly bucket: Pick<S3Port, 'pageAfter' | 'pages'>
  readonly signal: AbortSignal
  tell(state: string): void
}

/** The bucket as it is, beside what it was. */
export interface Lookback {
  /** All that it holds. */
  readonly now: KeyPack
  /** What `before` had, and it has no more. */
  readonly goneSince: KeyPack
  /** The same of all intervals, as far as Mastodon could have stored it. */
  readonly gone: KeyPack
  /** Gone as well, by names that are not Mastodon's. */
  readonly others: number
}

/**
 * One LIST request per 1,000 objects; two sorted lists beside each other, so that a million objects
 * take some 60 MB. Throws Cancelled, and the Problems of the bucket and the lists.
 */
export async function lookBack(at: LookingBack): Promise<Lookback> {
  const { before, earlier, bucket, signal } = at
  const [now, goneSince, gone] = [new KeyPack(), new KeyPack(), new KeyPack()]
  let others = 0
  let seen = 0
  const { files, objects } = sideBySide(once(before, unionOf(earlier)), bucket, signal)
  for await (const pairs of merge(files, objects)) {
    if (signal.aborted) throw new Cancelled()
    const there = pairs.flatMap(({ object }) => (object && !isProbe(object.key) ? object.key : []))
    const missing = pairs.flatMap(({ file, object }) => (file && !object ? file : []))
    const media = missing.filter(({ key }) => isMastodons(key))
    others += missing.length - media.length
    await now.add(there)
    await goneSince.add(missing.filter(({ isListed }) => isListed).map(({ key }) => key))
    await gone.add(media.map(({ key }) => key))
    seen += there.length
    at.tell(`Listed ${counted(seen, 'object')} of the bucket`)
  }
  await Promise.all([now.end(), goneSince.end(), gone.end()])
  return { now, goneSince, gone, others }
}

interface Was {
  readonly key: string
  readonly isListed: boolean
}

async function* once(before: KeyBatches, earlier: KeyBatches): AsyncGenerator<readonly Was[]> {
  for await (const pairs of merge(before, earlier)) {
    yield pairs.map(({ file, object }) => ({
      key: (file ?? object).key,
      isListed: file !== undefined,
    }))
  }
}
