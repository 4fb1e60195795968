import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Cancelled } from '../../../src/problem.ts'
import { localTree } from '../../../src/services/media/local-tree.ts'
import { startWalkThreads, type WalkThreads } from '../../../src/services/media/walk-threads.ts'
import { readAll, scratchTree } from './scratch-tree.ts'

/** As `npm test` has built it. */
const script = new URL('../../../dist/walk-thread.js', import.meta.url)

function tree(count: number): string {
  const keys = Array.from({ length: count }, (_, nth) => {
    const id = String(110_345_000_000 + nth * 7)
      .match(/\d{3}/g)
      ?.join('/')
    return [`media_attachments/files/${id}/original/${nth} \u{1F600}.png`, 'x'.repeat(nth % 50)]
  })
  const root = scratchTree({ ...Object.fromEntries(keys), '.gitkeep': '', 'z/last.txt': '' })
  symlinkSync('nowhere', join(root, 'media_attachments/files/110/345/000/dangling'))
  return root
}

const ready = () => loaded(startWalkThreads(script, 2))

async function loaded(threads: WalkThreads | undefined): Promise<WalkThreads> {
  if (!threads) throw new Error('The system gives no threads.')
  onTestFinished(() => threads.end())
  for (let waited = 0; !threads.ready && waited < 10_000; waited += 5) await after(5)
  return threads
}

describe('a walk with threads', () => {
  it('gives the same files and tells the same as one without', async () => {
    const root = tree(1100)
    const alone = await readAll(localTree(root))
    const crew = await ready()
    let asked = 0
    const counted: WalkThreads = {
      count: crew.count,
      get ready() {
        return crew.ready
      },
      files(...task) {
        asked += 1
        return crew.files(...task)
      },
      end: () => crew.end(),
    }
    const together = await readAll(localTree(root, { threads: () => counted }), { parallel: true })
    expect(asked).toBe(1)
    expect(together.files).toEqual(alone.files)
    expect(together.odd.sort()).toEqual(alone.odd.sort())
  })

  it('finds its threads in the package as it is built', async () => {
    const built = new URL('../../../dist/', import.meta.url)
    const chunk = readdirSync(built).find((name) => /^walk-threads-\w+\.js$/.test(name))
    const { startWalkThreads: start } = await import(new URL(chunk ?? 'none', built).href)
    const threads = await loaded(start())
    expect([threads.ready, threads.count]).toEqual([true, 1])
  })

  it('begins none where they would not be worth it', async () => {
    const none = () => {
      throw new Error('It was asked for threads.')
    }
    const { keys } = await readAll(localTree(scratchTree({ 'a.jpg': '' }), { threads: none }))
    expect(keys).toEqual(['a.jpg'])
  })

  it.each([
    ['that can not be loaded', 'no-such-file.js', undefined],
    ['that die at once', 'dies.mjs', 'process.exit(3)'],
  ])('goes on alone beside threads %s', async (_, name, text) => {
    const root = tree(20)
    const path = join(root, '..', name)
    if (text !== undefined) writeFileSync(path, text)
    const crew = startWalkThreads(pathToFileURL(path), 2)
    await after(300)
    expect(crew?.ready).toBe(false)
    const { keys } = await readAll(localTree(root, { threads: () => crew }), { parallel: true })
    expect(keys).toHaveLength(21)
  })

  it('Ctrl-C ends it with Cancelled', async () => {
    const root = tree(1100)
    const crew = await ready()
    const control = new AbortController()
    const source = localTree(root, { threads: () => crew })
    const files = source.files({ parallel: true, signal: control.signal })[Symbol.asyncIterator]()
    await files.next()
    control.abort()
    const rest = async () => {
      for (;;) if ((await files.next()).done) return
    }
    await expect(rest()).rejects.toBeInstanceOf(Cancelled)
  })

  it('a root that is gone by then is told as such', async () => {
    const root = tree(1)
    const crew = await ready()
    const task = { root: join(root, 'gone'), skip: [], after: '', reader: undefined, of: 3 }
    const [first] = crew.files(task, { onOddity: () => undefined })
    await expect(first?.next()).rejects.toMatchObject({ code: 'ENOENT' })
    rmSync(root, { recursive: true })
    await expect(readAll(localTree(root), { parallel: true })).rejects.toMatchObject({
      code: 'media-missing',
    })
  })
})
