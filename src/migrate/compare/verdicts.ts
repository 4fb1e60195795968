import type { Comparison, WrongHeader } from '../../plan/comparison.ts'
import type { LeftOut } from '../selection.ts'
import { Tally } from '../survey/tally.ts'

/** Files of other content that are named, as nothing but their names lets them be copied again. */
const COPIED_AGAIN = 1000

/** What a comparison has found so far. */
export class Verdicts {
  readonly same = new Tally()
  readonly missing = new Tally()
  readonly sizeDiffers = new Tally()
  readonly contentDiffers = new Tally(COPIED_AGAIN)
  readonly unreadable = new Tally()
  readonly extra = new Tally()
  readonly uploaded = new Tally()
  readonly deletedSince = new Tally()
  readonly leftOut = new Map<LeftOut, number>()
  oddities = 0
  contents: { compared: number; notComparable: number } | null = null
  headers: { sampled: number; wrong: { objects: number; examples: WrongHeader[] } } | null = null

  leaveOut(reason: LeftOut): void {
    this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + 1)
  }

  /** `at` is when the comparison began. */
  told(source: string, at: Date): Comparison {
    const { missing, sizeDiffers, contentDiffers, unreadable } = this
    const faults = [missing, sizeDiffers, contentDiffers, unreadable]
    return {
      at: at.toISOString(),
      source,
      equal: faults.every(({ objects }) => objects === 0),
      same: { objects: this.same.objects, bytes: this.same.bytes },
      missing: missing.told(),
      sizeDiffers: sizeDiffers.told(),
      contentDiffers: contentDiffers.told(),
      unreadable: unreadable.told(),
      extra: this.extra.told(),
      uploaded: this.uploaded.told(),
      deletedSince: this.deletedSince.told(),
      leftOut: Object.fromEntries(this.leftOut),
      oddities: this.oddities,
      contents: this.contents,
      headers: this.headers,
    }
  }
}
