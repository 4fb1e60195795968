import { expect, test } from 'vitest'
import { allPages } from '../../../src/services/cloudflare/call.ts'

const items = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `i${index}` }))

/** A server of `total` items that serves at most `cap` a page, and tells what `info` tells. */
function server(total: number, cap: number, info: (page: number) => unknown) {
  const asked: number[] = []
  const load = async (page: number) => {
    asked.push(page)
    return { result: items(total).slice((page - 1) * cap, page * cap), result_info: info(page) }
  }
  return { asked, load }
}

test.each([
  ['the total is known', 120, 50, () => ({ total_count: 120, per_page: 50 }), 3],
  ['the total is met by full pages', 100, 50, () => ({ total_count: 100, per_page: 50 }), 2],
  ['the last page is not full', 120, 50, () => ({ per_page: 50 }), 3],
  ['nothing is told', 120, 50, () => undefined, 4],
  ['the server serves smaller pages than asked', 45, 20, () => ({ per_page: 20 }), 3],
  ['there is nothing', 0, 50, () => ({ per_page: 50, total_count: 0 }), 1],
])('ends when %s', async (_, total, cap, info, requests) => {
  const { asked, load } = server(total, cap, info)
  expect(await allPages(load)).toEqual(items(total))
  expect(asked).toHaveLength(requests)
})

test('ends when the server repeats its only page for ever', async () => {
  let asked = 0
  const load = async () => {
    asked += 1
    return { result: items(20), result_info: undefined }
  }
  expect(await allPages(load)).toEqual(items(20))
  expect(asked).toBe(2)
})

test('ends when a server promises more than it has', async () => {
  const { asked, load } = server(10, 5, () => ({ total_count: 999 }))
  expect(await allPages(load)).toEqual(items(10))
  expect(asked).toEqual([1, 2, 3])
})

test('takes a null list for an empty one', async () => {
  expect(await allPages(async () => ({ result: null }))).toEqual([])
})
