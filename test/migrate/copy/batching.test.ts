import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../../src/core/problem.ts'
import { Batching, type BatchingOptions } from '../../../src/migrate/copy/batching.ts'
import type { MediaFile } from '../../../src/services/media/port.ts'
import { FakeClock } from '../../fakes/fake-world.ts'

const file = (nth: number): MediaFile => ({ key: `f${nth}`, size: 2, changedAt: 0, mode: 0o644 })
const files = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, nth) => file(from + nth))
const keys = (list: readonly MediaFile[]) => list.map(({ key }) => key)

/** A source that gives each list when it is let go on, and knows how it ended. */
function steered() {
  const given: (readonly MediaFile[])[] = []
  let wake = () => undefined as unknown
  const state = { ended: false, isLast: false, error: undefined as Error | undefined }
  async function* source() {
    try {
      for (;;) {
        const list = given.shift()
        if (list) yield list
        else if (state.error) throw state.error
        else if (state.isLast) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      state.ended = true
    }
  }
  const go = async (change: () => void) => {
    change()
    wake()
    for (let left = 5; left > 0; left -= 1) await turn()
  }
  return {
    files: source(),
    state,
    give: (list: readonly MediaFile[]) => go(() => given.push(list)),
    end: () => go(() => (state.isLast = true)),
    fail: (error: Error) => go(() => (state.error = error)),
  }
}

/** Time that passes when it is told to. */
class SteeredClock {
  time = 0
  readonly #sleeping: { readonly until: number; wake: () => void }[] = []

  readonly now = () => new Date(this.time)

  readonly sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      this.#sleeping.push({ until: this.time + ms, wake: resolve })
    })

  async pass(ms: number): Promise<void> {
    this.time += ms
    for (const { until, wake } of this.#sleeping) if (until <= this.time) wake()
    await turn()
  }
}

function batched(
  source: ConstructorParameters<typeof Batching>[0],
  options: Partial<BatchingOptions> = {},
) {
  const clock = new SteeredClock()
  const stop = new AbortController()
  const batching = new Batching(source, {
    clock,
    signal: stop.signal,
    first: { files: 10, ms: 100 },
    largest: { files: 30, ms: 300 },
    ...options,
  })
  return { batching, batches: batching.batches(), clock, stop }
}

describe('files as they are found', () => {
  it('come in batches that grow, hold everything in order, and are never empty', async () => {
    const all = files(0, 100)
    const { batching } = batched([all.slice(0, 7), [], all.slice(7)], { clock: new FakeClock() })
    const batches: (readonly MediaFile[])[] = []
    for await (const batch of batching.batches()) batches.push(batch)
    expect(batches.map(({ length }) => length)).toEqual([10, 20, 30, 30, 10])
    expect(batches.flatMap(keys)).toEqual(keys(all))
    expect(batching.total).toEqual({ objects: 100, bytes: 200 })
  })

  it('a batch that does not fill is given when its time is up, the next one waits longer', async () => {
    const source = steered()
    const { batches, clock } = batched(source.files)
    const given: string[][] = []
    const take = async () => given.push(keys((await batches.next()).value ?? []))
    void take()
    await source.give(files(0, 3))
    await clock.pass(99)
    expect(given).toEqual([])
    await clock.pass(1)
    expect(given).toEqual([['f0', 'f1', 'f2']])
    void take()
    await source.give(files(3, 4))
    await clock.pass(199)
    expect(given).toHaveLength(1)
    await clock.pass(1)
    expect(given).toEqual([['f0', 'f1', 'f2'], ['f3']])
  })

  it('what came while a batch was carried waits no longer', async () => {
    const source = steered()
    const { batches, clock } = batched(source.files)
    await source.give(files(0, 1))
    await clock.pass(100)
    expect(keys((await batches.next()).value ?? [])).toEqual(['f0'])
    await source.give(files(1, 3))
    await source.give(files(3, 5))
    await clock.pass(5_000)
    expect(keys((await batches.next()).value ?? [])).toEqual(['f1', 'f2', 'f3', 'f4'])
  })

  it('are read on by no more than a batch', async () => {
    let read = 0
    async function* endless() {
      for (;;) {
        yield files(read, read + 5)
        read += 5
        await turn()
      }
    }
    const { batches } = batched(endless())
    expect((await batches.next()).value).toHaveLength(10)
    for (let left = 50; left > 0; left -= 1) await turn()
    expect(read).toBeLessThanOrEqual(35)
    await batches.return(undefined)
  })

  it('it is known that there is one as soon as it is found, and that there is none at the end', async () => {
    const source = steered()
    const { batching } = batched(source.files)
    const known = batching.any()
    await source.give([])
    await source.give(files(0, 1))
    expect(await known).toBe(true)
    expect(batching.total).toBeUndefined()
    expect(await batched([[], []]).batching.any()).toBe(false)
  })
})

describe('a source that does not come to its end', () => {
  it('fails: what was found is not taken for all', async () => {
    const source = steered()
    const { batching, batches } = batched(source.files)
    await source.give(files(0, 3))
    await source.fail(new Error('gone'))
    await expect(batches.next()).rejects.toThrow('gone')
    expect(batching.total).toBeUndefined()
  })

  it.each([
    ['while it is waited for', 3],
    ['while nobody takes what there is', 10],
  ])('is stopped %s: Cancelled, and the source is ended', async (_, found) => {
    const source = steered()
    const { batching, batches, stop } = batched(source.files)
    await source.give(files(0, found))
    stop.abort()
    await source.give(files(found, found + 1))
    expect(source.state.ended).toBe(true)
    await expect(batches.next()).rejects.toBeInstanceOf(Cancelled)
    expect(batching.total).toBeUndefined()
  })

  it('is ended when the reader stops early', async () => {
    const source = steered()
    const { batches } = batched(source.files)
    await source.give(files(0, 10))
    await batches.next()
    const returned = batches.return(undefined)
    await source.give(files(10, 11))
    await returned
    expect(source.state.ended).toBe(true)
  })
})
