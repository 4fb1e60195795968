import { shellWord } from '../core/shell-word.ts'
import { prose, type Text, type ToType } from '../core/to-type.ts'
import type { MediaSource, Oddity } from '../services/media/port.ts'

const kinds: readonly Oddity['kind'][] = ['unreadable', 'foreign', 'dangling-link', 'loop']
/** From here on nothing is told apart any more: everything may be unread. */
const MOST = 1000

/**
 * The parts of a source that could not be read, or that lie behind a link which can't be followed: what
 * is missing there is not known to be gone.
 */
export class Unread {
  readonly #paths: string[] = []

  note({ kind, path }: Oddity): void {
    if (kinds.includes(kind) && this.#paths.length < MOST) this.#paths.push(path.replace(/\/$/, ''))
  }

  covers(key: string): boolean {
    if (this.#paths.length >= MOST) return true
    return this.#paths.some((path) => key === path || key.startsWith(`${path}/`) || path === '')
  }

  get first(): string | undefined {
    return this.#paths[0]
  }
}

/** Who has to have which right where parts of a media folder can't be read. */
export const whoReads =
  'Run this as root or as the owner of the media folder, and let that owner read them (root uses the rights of the owner).'

/** What to type where parts of a media folder can't be read: `path` is the first of them. */
export function letRead({ name }: Pick<MediaSource, 'name'>, path: string, line: ToType): Text {
  const first = shellWord(`${name}/${path.replace(/\/$/, '')}`)
  return prose`${whoReads} The first:\n  ls -ld ${first}\nThen go on from here:\n  ${line}`
}
