import { Cancelled } from '../../core/problem.ts'
import type { MediaFile, Oddity } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'
import type { Choice } from './copy-choice.ts'

/** A folder or a file of the source that could not be read. */
export interface Unread {
  /** Below the root. */
  readonly path: string
  readonly reason: string
  /** What it is, when it is a file. */
  readonly file: MediaFile | undefined
}

/** Collects from a walk what could not be read, and asks later which of it matters. */
export class UnreadPlaces {
  readonly #seen = new Map<string, string>()

  readonly note = ({ kind, path, note }: Oddity): void => {
    // The folder that a file system keeps for itself holds no media.
    if (kind === 'unreadable' && !/^lost\+found\/?$/.test(path)) this.#seen.set(path, note)
  }

  /** Without what is left out anyway, such as closed media of suspended users. */
  async wanted({ source }: Migration, choice: Choice): Promise<Unread[]> {
    const wanted: Unread[] = []
    for (const [path, reason] of this.#seen) {
      const file = path.endsWith('/') ? undefined : await find(source, path)
      if (!file || choice.isWanted(file)) wanted.push({ path, reason, file })
    }
    return wanted
  }
}

async function find(source: Migration['source'], path: string): Promise<MediaFile | undefined> {
  try {
    return await source.find(path)
  } catch (error) {
    if (error instanceof Cancelled) throw error
    return undefined
  }
}
