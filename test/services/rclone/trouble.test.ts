import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { worded } from '../../fakes/found.ts'
import { Bench, type Bucket, type CopyOptions } from './bench.ts'
import { childOf } from './child-of.ts'

let bench: Bench
let path: string
let to: Bucket
let count = 0
const keys = Array.from({ length: 120 }, (_, index) => `a/${String(index).padStart(5, '0')}.png`)

beforeAll(async () => {
  bench = await Bench.start()
  path = await bench.folder(keys)
})
beforeEach(async () => {
  count += 1
  to = await bench.bucket(`trouble-${count}`)
})
afterAll(() => bench.close())

const copy = (place: Bucket, options: CopyOptions = {}, list = keys) =>
  bench.copy({ kind: 'folder', path }, place, list, options)

/** What was told as copied is there. */
async function expectTruth(copied: readonly string[]) {
  const there = new Set(await bench.listed(to))
  expect(copied.filter((key) => !there.has(key))).toEqual([])
  return there
}

/** Process group and session: proc(5), `/proc/[pid]/stat`. */
function jobOf(pid: number | 'self'): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.split(') ').at(-1)?.split(' ').slice(2, 4).join()
}

describe('a bucket that refuses', () => {
  it.each<[string, () => Bucket, RegExp, RegExp]>([
    [
      'an unknown key',
      () => ({ ...to, key: { ...to.key, accessKeyId: '0'.repeat(32) } }),
      /401/,
      /revoked/,
    ],
    [
      'a wrong secret',
      () => ({ ...to, key: { ...to.key, secretAccessKey: new Secret('0'.repeat(64)) } }),
      /403/,
      /wrong/,
    ],
    ['another bucket', () => ({ ...to, bucket: 'not-there' }), /40[34]/, /bucket/],
  ])('%s is seen at once', async (_, place, what, why) => {
    bench.requests()
    const { copied, error } = await copy(place())
    expect(copied).toEqual([])
    expect(error).toMatchObject({
      code: 'rclone-refused',
      what: expect.stringMatching(what),
      why: expect.stringMatching(why),
      next: worded('npx mastodon-r2 check'),
    })
    expect(bench.requests().PUT).toBeLessThan(80)
  })

  it('the bucket that is read is told apart', async () => {
    await copy(to, {}, keys.slice(0, 3))
    const other = await bench.bucket(`source-${count}`)
    const from = { ...to, key: { ...to.key, accessKeyId: '0'.repeat(32) } }
    const { error } = await bench.copy(from, other, keys.slice(0, 3))
    expect(error).toMatchObject({
      code: 'rclone-refused',
      what: expect.stringMatching(new RegExp(`${to.bucket} at R2 refuses to be read .401`)),
    })
  })

  it('one key is enough, when it is the only one', async () => {
    const place = { ...to, key: { ...to.key, accessKeyId: '0'.repeat(32) } }
    const { failed, error } = await copy(place, {}, ['a/00000.png'])
    expect([...failed]).toEqual([['a/00000.png', expect.stringContaining('401')]])
    expect(error).toMatchObject({ code: 'rclone-refused' })
  })

  it('a single refusal is a result, not the end', async () => {
    bench.sandbox.faults.add({
      side: 's3',
      method: 'PUT',
      path: '00100',
      times: 1,
      kind: 'status',
      status: 403,
    })
    const { copied, failed, error } = await copy(to)
    expect([error, [...failed.keys()], copied.length]).toEqual([undefined, ['a/00100.png'], 119])
    expect(failed.get('a/00100.png')).toMatch(/^403 \w+$/)
  })

  it('a key revoked half-way stops the rest', async () => {
    const token = bench.sandbox.world.tokens.find(({ id }) => id === to.key.accessKeyId)
    const onCopied = (_: string, done: number) => {
      if (done === 20 && token) token.status = 'disabled'
    }
    bench.requests()
    const { copied, failed, error } = await copy(to, { onCopied })
    expect(error).toMatchObject({ code: 'rclone-refused' })
    expect(copied.length).toBeGreaterThanOrEqual(20)
    expect(copied.length + failed.size).toBeLessThan(keys.length)
    expect(bench.requests().PUT).toBeLessThan(keys.length)
    if (token) token.status = 'active'
    await expectTruth(copied)
  })
})

describe('a service with disturbances', () => {
  it('503 for a while is gone over again', async () => {
    bench.sandbox.faults.add({
      side: 's3',
      method: 'PUT',
      after: 30,
      times: 12,
      kind: 'status',
      status: 503,
    })
    const { copied, failed, error } = await copy(to)
    expect([error, [...failed], copied.length]).toEqual([undefined, [], 120])
    await expectTruth(copied)
  })

  it('connections that break, too', async () => {
    bench.sandbox.faults.add({ side: 's3', method: 'PUT', after: 30, times: 10, kind: 'reset' })
    const { copied, failed, error } = await copy(to)
    expect([error, [...failed], copied.length]).toEqual([undefined, [], 120])
  })

  it('503 for one object without end fails it alone', async () => {
    bench.sandbox.faults.add({ side: 's3', path: '00007', times: 200, kind: 'status', status: 503 })
    const { copied, failed, error } = await copy(to, {}, keys.slice(0, 20))
    bench.sandbox.faults.clear()
    expect([error, copied.length]).toEqual([undefined, 19])
    expect([...failed]).toEqual([['a/00007.png', expect.stringMatching(/^503/)]])
  })
})

describe('an end in the middle', () => {
  it('somebody kills rclone: what was copied is told, the rest is not', async () => {
    let killed = false
    const onCopied = (_: string, done: number) => {
      if (done < 20 || killed) return
      killed = true
      const pid = childOf(`R2:${to.bucket}`)
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    }
    const { copied, failed, error } = await copy(to, { onCopied })
    expect(error).toMatchObject({ code: 'rclone-stopped', what: expect.stringContaining('ended') })
    expect([failed.size, copied.length >= 20, copied.length < 120]).toEqual([0, true, true])
    await expectTruth(copied)
  })

  it.each([
    ['Ctrl-C, which reaches both', true],
    ['an interruption of this process alone', false],
  ])('%s: rclone is gone, what was copied is told', async (_, reachesBoth) => {
    bench.sandbox.faults.add({ side: 's3', method: 'PUT', after: 60, times: 200, kind: 'hang' })
    const control = new AbortController()
    const onCopied = (_: string, done: number) => {
      if (done !== 20) return
      const pid = reachesBoth ? childOf(`R2:${to.bucket}`) : undefined
      if (pid !== undefined) process.kill(pid, 'SIGINT')
      control.abort()
    }
    const { copied, failed, error } = await copy(to, { onCopied, signal: control.signal })
    bench.sandbox.faults.clear()
    expect(error).toMatchObject({ name: 'Cancelled' })
    expect([failed.size, copied.length >= 20, copied.length < 120]).toEqual([0, true, true])
    expect(childOf(`R2:${to.bucket}`)).toBeUndefined()
    await expectTruth(copied)
  })

  it('Ctrl-C and Ctrl-Z reach rclone: it is of the job that this process is', async () => {
    let group: string | undefined
    const onCopied = () => {
      const pid = childOf(`R2:${to.bucket}`)
      if (pid !== undefined) group ??= jobOf(pid)
    }
    const { error } = await copy(to, { onCopied, signal: new AbortController().signal })
    expect([error, group]).toEqual([undefined, jobOf('self')])
  })

  it('Ctrl-C before it began: nothing is run', async () => {
    const { copied, error } = await copy(to, { signal: AbortSignal.abort() })
    expect([copied, error]).toEqual([[], expect.objectContaining({ name: 'Cancelled' })])
    expect(await bench.listed(to)).toEqual([])
  })

  it('a file that goes while its turn comes has vanished', async () => {
    const folder = await bench.folder(keys)
    const onCopied = (_: string, done: number) => {
      if (done === 1) void rm(join(folder, 'a/00119.png'))
    }
    const from = { kind: 'folder', path: folder } as const
    const { copied, failed, vanished, error } = await bench.copy(from, to, keys, {
      onCopied,
      transfers: 1,
    })
    expect([error, failed.size, vanished]).toEqual([undefined, 0, ['a/00119.png']])
    expect(copied.length).toBe(119)
  })
})
