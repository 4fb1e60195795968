import type { MediaClass } from './media-class.ts'
import { idPartition, recordId } from './record-id.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What begins so is an orphan: no row of the database knows it. */
export const ORPHAN = 'dead'

/** Keys of the files of one record made at `at` (milliseconds), such as an avatar and its still picture. */
export function recordKeys(
  of: MediaClass,
  random: SeededRandom,
  at: number,
  isOrphan = false,
): string[] {
  const extension = random.pick(of.extensions)
  const folder = `${of.folder}/${idPartition(recordId(of.ids, random, at))}`
  const name = isOrphan ? `${ORPHAN}${random.hex(12)}` : `0${random.hex(15)}`
  return Object.entries(of.styles)
    .filter(([style]) => style !== 'static' || extension === 'gif')
    .map(([style, own]) => `${folder}/${style}/${name}.${own ?? extension}`)
}
