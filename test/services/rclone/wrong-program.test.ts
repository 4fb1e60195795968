import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectRclone } from '../../../src/services/rclone/client.ts'
import { Bench, type Bucket } from './bench.ts'

let bench: Bench
let path: string
let to: Bucket
const keys = ['a/1.png', 'a/2.png', 'a/3.png']

beforeAll(async () => {
  bench = await Bench.start()
  path = await bench.folder(keys)
  to = await bench.bucket('untouched')
})
afterAll(() => bench.close())

describe('a program that is not as it should be', () => {
  /** An rclone of another kind, alone in its PATH. */
  async function instead(script: string | undefined): Promise<ReturnType<typeof connectRclone>> {
    const folder = await bench.folder([])
    if (script !== undefined) {
      await writeFile(join(folder, 'rclone'), `#!/bin/sh\n${script}\n`)
      await chmod(join(folder, 'rclone'), 0o755)
    }
    bench.environment = { PATH: folder }
    return connectRclone({ stream: bench.stream })
  }

  it.each<[string, string | undefined, string]>([
    ['missing', undefined, 'rclone-missing'],
    ['too old', 'echo "rclone v1.53.3-DEV"', 'rclone-too-old'],
    ['something else', 'echo "hello"; exit 3', 'rclone-failed'],
  ])('%s', async (_, script, code) => {
    const rclone = await instead(script)
    await expect(rclone.version()).rejects.toMatchObject({ code })
    bench.environment = process.env
  })

  it('is told by its last words, without secrets', async () => {
    const rclone = await instead(
      '[ "$1" = copy ] && echo "Fatal error: unknown flag: --x $RCLONE_CONFIG_R2_SECRET_ACCESS_KEY" && exit 1',
    )
    const listener = { copied() {}, failed() {}, vanished() {}, moving() {} }
    const batch = { from: { kind: 'folder', path }, to, keys, transfers: 4 } as const
    const error = await rclone.copy(batch, listener).catch((thrown: unknown) => thrown)
    bench.environment = process.env
    expect(error).toMatchObject({
      code: 'rclone-failed',
      why: 'It said: Fatal error: unknown flag: --x ****',
    })
  })

  it('says all is well and has done nothing: each key fails', async () => {
    const rclone = await instead('exit 0')
    const failed = new Map<string, string>()
    const listener = {
      copied() {},
      failed: (key: string, reason: string) => void failed.set(key, reason),
      vanished() {},
      moving() {},
    }
    const batch = {
      from: { kind: 'folder', path },
      to,
      keys,
      transfers: 4,
    } as const
    await rclone.copy(batch, listener)
    bench.environment = process.env
    expect([...failed.values()]).toEqual(Array(3).fill('rclone did not mention it'))
  })

  it('the real one is new enough', async () => {
    expect(await connectRclone({ stream: bench.stream }).version()).toMatch(/^1\.\d+\.\d+$/)
  })
})
