interface Page<T> {
  readonly result?: readonly T[] | null
  readonly result_info?: unknown
}

const MOST_PAGES = 1000

/**
 * Every item of a list with numbered pages, asked one page after the other. Ends at the announced
 * total, at a page that isn't full, at an empty one, or when a server repeats itself.
 */
export async function allPages<T extends { id?: string | undefined }>(
  load: (page: number) => PromiseLike<Page<T>>,
): Promise<T[]> {
  const items: T[] = []
  const seen = new Set<string | undefined>()
  for (let number = 1; number <= MOST_PAGES; number += 1) {
    const { result, result_info } = await load(number)
    const fresh = (result ?? []).filter(({ id }) => !seen.has(id))
    if (fresh.length === 0) break
    items.push(...fresh)
    for (const { id } of fresh) seen.add(id)
    if (isLast(result?.length ?? 0, items.length, result_info)) break
  }
  return items
}

function isLast(length: number, soFar: number, resultInfo: unknown): boolean {
  const info = (resultInfo ?? {}) as { per_page?: unknown; total_count?: unknown }
  if (typeof info.total_count === 'number') return soFar >= info.total_count
  return typeof info.per_page === 'number' && length < info.per_page
}
