import { fewAtOnce } from '../../core/few-at-once.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'
import { leftOut } from '../selection.ts'
import { kept, type Tally } from '../survey/tally.ts'
import { sameContent } from './content.ts'
import type { CompareAt } from './sides.ts'
import type { Verdicts } from './verdicts.ts'

/** Of each kind so many are looked at again, a HEAD each; the rest counts as it was seen. */
const LOOKED_AT_AGAIN = 200
const ASKED_AT_ONCE = 8

/** What seemed wrong in a comparison, and whether it still is at the end of it. */
export class SecondLook {
  readonly #migration: Migration
  readonly #options: CompareAt
  readonly #verdicts: Verdicts
  readonly #missing: string[] = []
  readonly #sizes: string[] = []
  readonly #contents: string[] = []
  readonly #extra: string[] = []

  constructor(migration: Migration, options: CompareAt, verdicts: Verdicts) {
    this.#migration = migration
    this.#options = options
    this.#verdicts = verdicts
  }

  missing({ key, size }: MediaFile): void {
    keepOrCount(this.#missing, this.#verdicts.missing, key, size)
  }

  sizeDiffers({ key, size }: MediaFile): void {
    keepOrCount(this.#sizes, this.#verdicts.sizeDiffers, key, size)
  }

  contentDiffers({ key, size }: MediaFile): void {
    keepOrCount(this.#contents, this.#verdicts.contentDiffers, key, size)
  }

  extra(key: string, size: number): void {
    keepOrCount(this.#extra, this.#verdicts.extra, key, size)
  }

  async end(): Promise<void> {
    const asking = fewAtOnce(ASKED_AT_ONCE)
    for (const key of [this.#missing, this.#sizes, this.#contents, this.#extra].flat()) {
      await asking.begin(() => this.#look(key))
    }
    await asking.end()
  }

  async #look(key: string): Promise<void> {
    const { source, selection } = this.#migration
    const [file, object] = await Promise.all([source.find(key), this.#migration.bucket().head(key)])
    const { missing, sizeDiffers, contentDiffers, unreadable, extra, same, contents } =
      this.#verdicts
    if (!file) {
      if (object && this.#extra.includes(key)) extra.add(key, object.size)
      return
    }
    const reason = leftOut(file, selection, this.#options)
    if (reason) return this.#verdicts.leaveOut(reason)
    if (!object) return missing.add(key, file.size)
    if (file.size !== object.size) return sizeDiffers.add(key, file.size)
    if (!this.#options.checksum) return same.add(key, file.size)
    const told = await sameContent(file, object, this.#options.content)
    if (told === 'gone') return
    if (told === 'differs') return contentDiffers.add(key, file.size)
    if (told === 'unreadable') return unreadable.add(key, file.size)
    if (told === 'unknown' && contents) contents.notComparable += 1
    same.add(key, file.size)
  }
}

function keepOrCount(list: string[], tally: Tally, key: string, size: number): void {
  if (list.length < LOOKED_AT_AGAIN) list.push(kept(key))
  else tally.add(key, size)
}
