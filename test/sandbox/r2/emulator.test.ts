import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  createEmulatorPool,
  loadMiniflare,
  locateMiniflare,
  MINIFLARE_VERSION,
  startEmulator,
} from '../../../src/sandbox/r2/emulator.ts'
import { addBucket, createStand } from './stand.ts'

const root = new URL('../../../', import.meta.url)
const json = async (path: string) => JSON.parse(await readFile(new URL(path, root), 'utf8'))

describe('the pin', () => {
  test('package.json names exactly the release that the sandbox asks for', async () => {
    const { devDependencies, dependencies = {} } = await json('package.json')
    expect(devDependencies.miniflare).toBe(MINIFLARE_VERSION)
    expect(dependencies).toEqual({})
  })

  test('that release is installed', async () => {
    expect((await json('node_modules/miniflare/package.json')).version).toBe(MINIFLARE_VERSION)
    await expect(locateMiniflare()).resolves.toContain('miniflare')
  })
})

describe('without the emulator', () => {
  const load = () => Promise.reject(new Error('must not be loaded'))
  const missing = () => {
    throw Object.assign(new Error('not found'), { code: 'MODULE_NOT_FOUND' })
  }
  const other = new URL('node_modules/vitest/dist/index.js', root).pathname

  test.each([
    ['missing', missing],
    ['another package in its place', () => other],
  ])('%s: the person is told the npx line', async (_name, resolve) => {
    const failure = loadMiniflare({ resolve, load })
    await expect(failure).rejects.toMatchObject({
      name: 'Problem',
      code: 'sandbox-needs-miniflare',
      next: `npx -p mastodon-r2 -p miniflare@${MINIFLARE_VERSION} mastodon-r2 init --sandbox`,
    })
  })

  test('one that can’t start says so', async () => {
    class Miniflare {
      ready = Promise.reject(new Error('spawn workerd ENOENT'))
      dispose = () => Promise.resolve()
    }
    const main = new URL('node_modules/miniflare/dist/src/index.js', root).pathname
    const loader = {
      resolve: () => main,
      load: async () => ({ Miniflare, NoOpLog: Object }),
    }
    const failure = startEmulator({ slots: 1, loader })
    await expect(failure).rejects.toMatchObject({ code: 'sandbox-emulator-failed' })
  })
})

describe('the pool', () => {
  const emulator = { url: 'http://127.0.0.1:9', slots: ['slot-1', 'slot-2'], close: async () => {} }
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
  const create = (onStart: () => void = () => {}) => {
    const { world } = createStand()
    const pool = createEmulatorPool(world, async () => {
      onStart()
      return { ...emulator, credentials }
    })
    return { world, pool }
  }

  test('starts the emulator once, when it is first needed', async () => {
    let starts = 0
    const { world, pool } = create(() => {
      starts += 1
    })
    const bucket = addBucket(world, 'one')
    expect(pool.started).toBe(false)
    await Promise.all([pool.slotOf(bucket), pool.slotOf(bucket)])
    expect([starts, pool.started]).toEqual([1, true])
  })

  test('a failed start is tried again', async () => {
    let starts = 0
    const { world, pool } = create(() => {
      starts += 1
      if (starts === 1) throw new Error('no memory')
    })
    const bucket = addBucket(world, 'one')
    await expect(pool.slotOf(bucket)).rejects.toThrow('no memory')
    expect(await pool.slotOf(bucket)).toBe('slot-1')
  })

  test('lends each bucket its own, and a deleted one’s again', async () => {
    const { world, pool } = create()
    const [one, two] = [addBucket(world, 'one'), addBucket(world, 'two')]
    expect(await pool.slotOf(one)).toBe('slot-1')
    expect(await pool.slotOf(two)).toBe('slot-2')
    expect(await pool.slotOf(one)).toBe('slot-1')
    const three = addBucket(world, 'three')
    await expect(pool.slotOf(three)).rejects.toThrow('2 buckets at most')
    world.buckets.splice(world.buckets.indexOf(one), 1)
    expect(await pool.slotOf(three)).toBe('slot-1')
  })

  test('tells at its end which of the buckets were in use', async () => {
    let used: ReadonlySet<string> | undefined
    const { world } = createStand()
    const close = async (told?: ReadonlySet<string>) => {
      used = told
    }
    const pool = createEmulatorPool(world, async () => ({ ...emulator, credentials, close }))
    await pool.slotOf(addBucket(world, 'one'))
    await pool.close()
    expect(used).toEqual(new Set(['slot-1']))
  })
})
