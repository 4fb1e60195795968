import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Command } from '../../../src/services/process/port.ts'
import { isUnreadable } from '../../../src/services/rclone/port.ts'
import { readReason, unreachable } from '../../../src/services/rclone/trouble.ts'
import { Bench, type Bucket } from './bench.ts'

type Refusal = readonly [status: number, code: string] | undefined

/** Before the sandbox: refuses what the test wants refused, and passes on the rest. */
let refuse: (method: string, path: string) => Refusal
let front: Server
let bench: Bench
let from: Bucket
let to: Bucket
let count = 0
const keys = Array.from({ length: 150 }, (_, index) => `a/${String(index).padStart(5, '0')}.png`)

beforeAll(async () => {
  bench = await Bench.start()
  const { host } = new URL(bench.sandbox.s3Url())
  front = createServer((message, response) => {
    const { method = '', url = '', headers } = message
    const [status, code] = refuse(method, url) ?? []
    if (status !== undefined) {
      message.resume()
      response.writeHead(status, { 'content-type': 'application/xml' })
      response.end(`<Error><Code>${code}</Code><Message>No.</Message></Error>`)
      return
    }
    const [hostname, port] = host.split(':')
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    message.pipe(onward)
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const old = await bench.bucket('old')
  await bench.copy({ kind: 'folder', path: await bench.folder(keys) }, old, keys)
  const endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  from = { ...old, endpoint, provider: 'Other', service: 'Wasabi' }
}, 60_000)
beforeEach(async () => {
  count += 1
  to = await bench.bucket(`refused-${count}`)
})
afterAll(async () => {
  front.closeAllConnections()
  front.close()
  await bench.close()
})

/** GETs of the keys that `isRefused` picks. */
function refusing(refusal: Refusal, isRefused: (path: string) => boolean = () => true) {
  refuse = (method, path) => (method === 'GET' && isRefused(path) ? refusal : undefined)
}

describe('an object that the source does not give out', () => {
  it.each([
    [[403, 'AccessDenied'], /^not readable at the source: 403 AccessDenied$/],
    [[403, 'InvalidObjectState'], /^not readable at the source: archived/],
  ] as const)('%j is a result, the others are copied', async (refusal, reason) => {
    refusing(refusal, (path) => path.includes('00007'))
    const { copied, failed, error } = await bench.copy(from, to, keys)
    expect([error, copied.length]).toEqual([undefined, 149])
    expect([...failed]).toEqual([['a/00007.png', expect.stringMatching(reason)]])
    expect(isUnreadable(failed.get('a/00007.png') ?? '')).toBe(true)
  })

  it('alone in its batch, too', async () => {
    refusing([403, 'AccessDenied'])
    const { failed, error } = await bench.copy(from, to, ['a/00007.png'])
    expect([error, failed.size]).toEqual([undefined, 1])
  })

  it('a key that may list and not read is told, in the name of the source', async () => {
    refusing([403, 'AccessDenied'])
    const { error } = await bench.copy(from, to, keys)
    expect(error).toMatchObject({
      code: 'rclone-refused',
      what: expect.stringContaining('The bucket old at Wasabi refuses to be read'),
      why: expect.stringContaining('may list the bucket'),
      next: expect.stringContaining('console of Wasabi'),
    })
  })

  it('where objects were read before, a long run of refusals is theirs', async () => {
    refusing([403, 'AccessDenied'])
    const { failed, error } = await bench.copy(from, to, keys, { hasRead: true })
    expect([error, failed.size]).toEqual([undefined, 150])
  })
})

describe('a source that refuses as a whole', () => {
  it.each([
    [403, 'InvalidAccessKeyId', /Wasabi does not know the access key/],
    [403, 'SignatureDoesNotMatch', /secret is wrong/],
    [404, 'NoSuchBucket', /another region or account/],
  ])('%i %s', async (status, code, why) => {
    refusing([status, code])
    const { error } = await bench.copy(from, to, keys, { hasRead: true })
    expect(error).toMatchObject({ code: 'rclone-refused', why: expect.stringMatching(why) })
    expect(String(error)).not.toContain('R2')
  })

  it('what does not get through names the source', () => {
    const at = { from, to: { ...from, service: 'R2' } }
    const reason = readReason('Failed to copy: failed to open source object: dial: no such host')
    expect(unreachable(at, reason)).toMatchObject({
      code: 'rclone-cut-off',
      what: expect.stringContaining('Nothing gets through to Wasabi any more'),
      next: expect.stringContaining('the status page of Wasabi'),
    })
  })
})

describe('a source that asks to slow down', () => {
  const line = JSON.stringify({
    level: 'error',
    object: keys[3],
    msg: 'Failed to copy: failed to open source object: SlowDown: Reduce.\n\tstatus code: 503',
  })
  const complaining = (command: Command): Command => ({
    ...command,
    program: process.execPath,
    args: ['-e', `console.error(${JSON.stringify(line)}); process.exitCode = 1`],
  })
  const begin = (times: number) => {
    refuse = () => undefined
    let left = times
    bench.wrap = (command) => (left-- > 0 ? complaining(command) : command)
    const slept: number[] = []
    return { slept, sleep: async (ms: number) => void slept.push(ms) }
  }

  it('is waited for, and asked for less a second', async () => {
    const { slept, sleep } = begin(2)
    const { copied, failed, error } = await bench.copy(from, to, keys.slice(0, 40), { sleep })
    expect([error, failed.size, copied.length]).toEqual([undefined, 0, 40])
    expect(slept).toEqual([5_000, 15_000])
    const asked = bench.commands.map(({ args }) => args.join(' '))
    expect(asked).toContainEqual(expect.stringMatching(/--transfers 16 .*--tpslimit 13 /))
  })

  it('without an end it is told, in its name', async () => {
    const { slept, sleep } = begin(99)
    const { error } = await bench.copy(from, to, keys.slice(0, 40), { sleep })
    bench.wrap = (command) => command
    expect(error).toMatchObject({
      code: 'rclone-slowed-down',
      what: expect.stringContaining('Wasabi keeps asking to go on more slowly'),
    })
    expect(slept).toHaveLength(4)
  })

  it.each([
    ['Failed to copy: failed to open source object: SlowDown: x\n\tstatus code: 503', 'slow', true],
    ['Failed to copy: SlowDown: x\n\tstatus code: 503', 'slow', undefined],
    ['Failed to copy: TooManyRequests: x\n\tstatus code: 429', 'slow', undefined],
    ['Failed to copy: ServiceUnavailable: x\n\tstatus code: 503', 'remote', undefined],
  ])('%j', (message, kind, atSource) => {
    const reason = readReason(message)
    expect([reason.kind, reason.atSource]).toEqual([kind, atSource])
  })
})
