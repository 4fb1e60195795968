import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { isRequired } from '../requirement.ts'
import { Bench } from '../services/rclone/bench.ts'
import { keyOf, Migrating } from './migrating.ts'

const noRclone = whyNoRclone()
const bench = noRclone ? undefined : await Bench.start()
const opened: Migrating[] = []
afterAll(async () => {
  for (const migrating of opened) migrating.close()
  await bench?.close()
})

function whyNoRclone(): string | undefined {
  try {
    execFileSync('rclone', ['version'], { timeout: 10_000 })
    return undefined
  } catch (cause) {
    if (isRequired('rclone')) throw new Error('There is no rclone.', { cause })
    return '(there is no rclone here)'
  }
}

/** A folder of so many files and an empty bucket. */
async function migrating(count: number): Promise<Migrating> {
  if (!bench) throw new Error('There is no rclone.')
  const made = new Migrating(bench, await bench.bucket(`copy-${opened.length + 1}`))
  opened.push(made)
  made.fill(count)
  bench.requests()
  return made
}

/** Everything of the folder is in the bucket; what is there besides is `extra`. */
async function expectSame(at: Migrating, extra: readonly string[] = []): Promise<void> {
  const [stored, files] = await Promise.all([at.stored(), at.files()])
  expect([...stored.keys()].filter((key) => !files.has(key)).sort()).toEqual([...extra].sort())
  expect([...files].filter(([key, md5]) => stored.get(key) !== md5)).toEqual([])
}

/** rclone runs as a user who owns nothing. */
async function asNobody<T>(isRoot: boolean, work: () => Promise<T>): Promise<T> {
  if (!bench || !isRoot) return work()
  const { wrap } = bench
  const who = ['--reuid=65534', '--regid=65534', '--clear-groups']
  bench.wrap = (command) => {
    return { ...command, program: 'setpriv', args: [...who, command.program, ...command.args] }
  }
  try {
    return await work()
  } finally {
    bench.wrap = wrap
  }
}

const requests = () => bench?.requests() ?? {}

describe.skipIf(noRclone)(`a copy with the real rclone ${noRclone ?? ''}`, () => {
  test('first, then what is new, then nothing', async () => {
    const at = await migrating(300)
    expect(await at.copy()).toMatchObject({
      is: 'ready',
      note: expect.stringMatching(/^300 files/),
    })
    expect(requests()).toEqual({ PUT: 300, GET: 1 })
    await expectSame(at)
    requests()
    expect(await at.copy()).toMatchObject({ note: expect.stringMatching(/^nothing new since/) })
    expect(requests()).toEqual({})
    for (let nth = 300; nth < 320; nth += 1) at.put(keyOf(nth), 'new')
    at.put(keyOf(7), 'TEXT 7')
    expect(await at.copy()).toMatchObject({ note: expect.stringMatching(/^21 files/) })
    expect(requests()).toEqual({ PUT: 21 })
    await expectSame(at)
  })

  test('files added, changed and deleted while it runs', async () => {
    const at = await migrating(400)
    const deleted = [keyOf(5), keyOf(399)]
    const onCopied = (count: number) => {
      if (count !== 60) return
      at.put(keyOf(1), 'TEXT 1')
      at.put(keyOf(398), 'TEXT 398')
      at.put(keyOf(1000), 'added')
      for (const key of deleted) rmSync(join(at.root, key))
    }
    const first = await at.copy({ onCopied })
    expect(first.is).toMatch(/ready|blocked/)
    expect(await at.copy()).toMatchObject({ is: 'ready' })
    const extra = [...(await at.stored()).keys()].filter((key) => deleted.includes(key))
    await expectSame(at, extra)
    const { checkpoint } = at.migration()
    expect([...(await checkpoint.recorded(new Set(extra)))].sort()).toEqual(extra.sort())
  })

  test('a file that rclone may not read', async () => {
    const at = await migrating(30)
    const path = join(at.root, keyOf(3))
    chmodSync(path, 0o640)
    const asRoot = process.getuid?.() === 0
    if (!asRoot) chmodSync(path, 0o040)
    const found = await asNobody(asRoot, () => at.copy())
    const problem = { code: 'copy-incomplete', why: expect.stringContaining(keyOf(3)) }
    expect(found).toMatchObject({ is: 'blocked', problem })
    chmodSync(path, 0o644)
    requests()
    expect((await at.copy()).is).toBe('ready')
    expect(requests()).toEqual({ PUT: 1 })
    await expectSame(at)
  })

  test('bursts of 503, and an answer that is lost', async () => {
    const at = await migrating(200)
    const strike = { side: 's3', method: 'PUT' } as const
    bench?.sandbox.faults.add({ ...strike, after: 20, times: 8, kind: 'status', status: 503 })
    bench?.sandbox.faults.add({ ...strike, after: 120, times: 3, kind: 'applied-then-reset' })
    await at.copy()
    bench?.sandbox.faults.clear()
    expect((await at.copy()).is).toBe('ready')
    await expectSame(at)
  })

  test('one file that is refused again and again', async () => {
    const at = await migrating(50)
    const path = keyOf(9).split('/').at(-1) ?? ''
    const fault = { side: 's3', method: 'PUT', path, kind: 'status', status: 403 } as const
    bench?.sandbox.faults.add({ ...fault, times: 100 })
    expect(await at.copy()).toMatchObject({
      is: 'blocked',
      problem: { code: 'copy-incomplete', why: expect.stringContaining('403') },
    })
    expect(at.said).toEqual([expect.stringContaining(keyOf(9))])
    bench?.sandbox.faults.clear()
    requests()
    expect((await at.copy()).is).toBe('ready')
    expect(requests()).toEqual({ PUT: 1 })
    await expectSame(at)
  })

  test('a key that is revoked half-way', async () => {
    const at = await migrating(400)
    const token = bench?.sandbox.world.tokens.find(({ id }) => id === at.bucket.key.accessKeyId)
    if (!token) throw new Error('There is no token.')
    const onCopied = (count: number) => {
      if (count === 100) token.status = 'disabled'
    }
    await expect(at.copy({ onCopied })).rejects.toMatchObject({ code: 'rclone-refused' })
    const claimed = (await at.migration().checkpoint.read())?.copied.objects ?? 0
    token.status = 'active'
    expect((await at.stored()).size).toBeGreaterThanOrEqual(claimed)
    expect(claimed).toBeGreaterThanOrEqual(100)
    requests()
    expect((await at.copy()).is).toBe('ready')
    expect(requests().PUT).toBeLessThanOrEqual(400 - claimed)
    await expectSame(at)
  })

  test('rclone is killed', async () => {
    const at = await migrating(400)
    const pidFile = join(at.root, '..', 'pid')
    const wrap = bench?.wrap
    if (!bench || !wrap) throw new Error('There is no rclone.')
    bench.wrap = (command) => {
      const args = ['-c', 'echo $$ > "$0"; exec "$@"', pidFile, command.program, ...command.args]
      return { ...command, program: 'sh', args }
    }
    const onCopied = (count: number) => {
      if (count === 80) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
    }
    await expect(at.copy({ onCopied })).rejects.toMatchObject({ code: 'rclone-stopped' })
    bench.wrap = wrap
    const checkpoint = await at.migration().checkpoint.read()
    expect(checkpoint).toMatchObject({ begunAt: expect.any(String) })
    expect(checkpoint?.completeSince).toBeUndefined()
    expect((await at.copy()).is).toBe('ready')
    await expectSame(at)
  })

  test('Ctrl-C: ended gently, and what was done is not done again', async () => {
    const at = await migrating(400)
    const onCopied = (count: number) => {
      if (count === 80) at.stop.abort()
    }
    await expect(at.copy({ onCopied })).rejects.toMatchObject({ name: 'Cancelled' })
    const { PUT: first = 0 } = requests()
    const there = (await at.stored()).size
    requests()
    expect((await at.copy()).is).toBe('ready')
    const { PUT: second = 0 } = requests()
    expect(second).toBeLessThanOrEqual(400 - Math.min(there, 80))
    expect(first + second).toBeLessThan(400 + 2 * 16)
    await expectSame(at)
  })

  test('names that JSON, XML, shells and rclone write in their own way', async () => {
    const at = await migrating(0)
    const parts = [
      'a "b".png',
      "it's.png",
      'back\\slash.png',
      'a&b<c>.png',
      '#;%20 +.png',
      ' x .png',
    ]
    const more = ['\u{1f600}.png', 'e\u0301.png', 'tab\t.png', '\uff0f.png', '$(x).png']
    for (const part of [...parts, ...more]) at.put(`odd/${part}`, part)
    expect(await at.copy()).toMatchObject({ is: 'ready' })
    await expectSame(at)
    expect(await at.copy()).toMatchObject({ note: expect.stringMatching(/^nothing new/) })
  })
})
