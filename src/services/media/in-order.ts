import { compareKeys } from '../../key-order.ts'

interface Keyed {
  readonly key: string
}

/**
 * Several lists, each in the order of its keys, as one in that order. It holds one batch of each, and
 * gives what it can before it waits for the next.
 */
export async function* inOrder<Item extends Keyed>(
  lists: readonly AsyncGenerator<readonly Item[]>[],
): AsyncGenerator<readonly Item[]> {
  let open = lists.map((list) => ({ list, batch: [] as readonly Item[], at: 0 }))
  type Open = (typeof open)[number]
  const refill = async (one: Open): Promise<boolean> => {
    while (one.at >= one.batch.length) {
      const { done, value } = await one.list.next()
      if (done === true) return false
      Object.assign(one, { batch: value, at: 0 })
    }
    return true
  }
  try {
    for (;;) {
      const filled = await Promise.all(open.map(refill))
      open = open.filter((_, nth) => filled[nth])
      const [first, ...rest] = open
      if (!first) return
      yield rest.length === 0 ? restOf(first) : taken(open)
    }
  } finally {
    await Promise.allSettled(lists.map((list) => list.return(undefined)))
  }
}

interface Cursor<Item> {
  readonly batch: readonly Item[]
  at: number
}

function restOf<Item>(one: Cursor<Item>): readonly Item[] {
  const rest = one.batch.slice(one.at)
  one.at = one.batch.length
  return rest
}

/** Goes on until one of them has to be filled again. */
function taken<Item extends Keyed>(open: readonly Cursor<Item>[]): readonly Item[] {
  const given: Item[] = []
  for (;;) {
    let least: Cursor<Item> | undefined
    let head: Item | undefined
    for (const one of open) {
      const item = one.batch[one.at]
      if (item === undefined) return given
      if (head !== undefined && compareKeys(head.key, item.key) < 0) continue
      head = item
      least = one
    }
    if (!least || !head) return given
    given.push(head)
    least.at += 1
  }
}
