import { KeyPack } from './key-pack.ts'
import { compareKeys, type Keyed, merge } from './streams.ts'

export type KeyBatches = AsyncIterable<readonly Keyed[]>

/** Keys that are sorted at a time before all are put together, in memory. */
const RUN = 50_000

/** Several sides, each in the order of `compareKeys`, as one with each key once. Problem `keys-out-of-order`. */
export function unionOf(sides: readonly KeyBatches[]): KeyBatches {
  const [first, second] = sides
  if (first === undefined) return nothing()
  if (second === undefined) return first
  const half = Math.ceil(sides.length / 2)
  return both(unionOf(sides.slice(0, half)), unionOf(sides.slice(half)))
}

async function* nothing(): AsyncGenerator<readonly Keyed[]> {}

async function* both(left: KeyBatches, right: KeyBatches): AsyncGenerator<readonly Keyed[]> {
  for await (const pairs of merge(left, right))
    yield pairs.map(({ file, object }) => file ?? object)
}

/** Keys of any order, some of them several times: sorted, and each once. Compressed meanwhile. */
export async function sortedKeys(
  keys: AsyncIterable<readonly string[]>,
  run = RUN,
): Promise<KeyBatches> {
  const runs: KeyPack[] = []
  let waiting: string[] = []
  const pack = async () => {
    const inOrder = waiting.sort(compareKeys).filter((key, at, all) => key !== all[at - 1])
    waiting = []
    const one = new KeyPack()
    await one.add(inOrder)
    runs.push(await one.end())
  }
  for await (const some of keys) {
    for (const key of some) waiting.push(key)
    if (waiting.length >= run) await pack()
  }
  if (waiting.length > 0) await pack()
  return unionOf(runs.map((one) => one.read()))
}
