import { counted } from '../core/amounts.ts'
import type { KeyPack } from '../core/key-pack.ts'
import { Cancelled } from '../core/problem.ts'
import { fewAtOnce } from '../core/streams.ts'
import { EXAMPLES, kept } from '../moving/tally.ts'
import type { MediaSource } from '../services/media/port.ts'

/** Files that are looked for at the same time. */
const AT_ONCE = 32

/** What the disk still has of files that are gone everywhere else. */
export interface Leftovers {
  readonly folder: string
  objects: number
  bytes: number
  /** The first ones. */
  readonly examples: { readonly key: string; readonly size: number }[]
}

/** One look for each file; none is read, and none removed. Throws Cancelled. */
export async function leftovers(
  disk: Pick<MediaSource, 'name' | 'find'>,
  gone: KeyPack,
  { signal, tell }: { readonly signal: AbortSignal; tell(state: string): void },
): Promise<Leftovers> {
  const found: Leftovers = { folder: disk.name, objects: 0, bytes: 0, examples: [] }
  const look = async (key: string) => {
    const file = await disk.find(key)
    if (!file) return
    found.objects += 1
    found.bytes += file.size
    if (found.examples.length < EXAMPLES) found.examples.push({ key: kept(key), size: file.size })
  }
  let seen = 0
  for await (const some of gone.read()) {
    const looking = fewAtOnce(AT_ONCE)
    for (const { key } of some) {
      if (signal.aborted) throw new Cancelled()
      await looking.begin(() => look(key))
    }
    await looking.end()
    seen += some.length
    tell(`Looked for ${counted(seen, 'file')} on the disk`)
  }
  return found
}
