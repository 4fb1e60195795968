import { expect, it } from 'vitest'
import { lazyPort, once } from '../../src/flow/world.ts'

interface Port {
  add(a: number, b: number): Promise<number>
  list(): readonly string[]
}

it('connects with the first call, once, and gives its own parts without', async () => {
  let connected = 0
  const connect = once(async (): Promise<Port> => {
    connected += 1
    return { add: async (a, b) => a + b, list: () => ['the real one'] }
  })
  const port = await lazyPort(connect, { list: () => ['own'] })
  expect(port.list()).toEqual(['own'])
  expect(connected).toBe(0)
  expect(await Promise.all([port.add(1, 2), port.add(3, 4)])).toEqual([3, 7])
  expect(connected).toBe(1)
})

it('a connection that fails is told to every caller', async () => {
  const port = lazyPort(once<Port>(() => Promise.reject(new Error('no'))))
  await expect(port.add(1, 2)).rejects.toThrow('no')
  await expect(port.add(1, 2)).rejects.toThrow('no')
})
