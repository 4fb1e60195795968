import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectRclone } from '../../../src/services/rclone/client.ts'
import { Bench, type Bucket } from './bench.ts'

const isRoot = process.getuid?.() === 0
let bench: Bench
let to: Bucket
let count = 0

beforeAll(async () => {
  bench = await Bench.start({ silentContinue: true })
})
beforeEach(async () => {
  bench.environment = process.env
  bench.onStart = () => undefined
  count += 1
  to = await bench.bucket(`media-${count}`)
  bench.requests()
})
afterAll(() => bench.close())

const names = (many: number, ending = '.png') =>
  Array.from({ length: many }, (_, index) => `a/${String(index).padStart(5, '0')}${ending}`)

describe('a folder', () => {
  it('is copied with one request for each key, and nothing but the keys', async () => {
    const keys = names(100)
    const path = await bench.folder([...keys, 'b/other.png'])
    const { copied, failed, vanished, error, moved } = await bench.copy(
      { kind: 'folder', path },
      to,
      keys,
    )
    expect([error, failed.size, vanished]).toEqual([undefined, 0, []])
    expect(copied.sort()).toEqual(keys)
    expect(bench.requests()).toEqual({ PUT: 100 })
    expect(moved.at(-1)?.[0]).toBe(keys.join('').length)
    expect(await bench.listed(to)).toEqual(keys)
  })

  it('no key means no rclone', async () => {
    const began = bench.commands.length
    const { error } = await bench.copy({ kind: 'folder', path: '/nowhere' }, to, [])
    expect([error, bench.commands.length - began]).toEqual([undefined, 0])
  })

  it('bytes are counted over several runs of rclone', async () => {
    const files = { 'a.png': 'x'.repeat(1000), 'b.csv': 'y'.repeat(500), 'c.xyz': 'z'.repeat(200) }
    const path = await bench.folder(files)
    const { moved } = await bench.copy({ kind: 'folder', path }, to, Object.keys(files))
    expect(moved.at(-1)?.[0]).toBe(1700)
    const bytes = moved.map(([sent]) => sent)
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b))
  })

  it('links are followed, large files do not wait for R2 to say 100 Continue', async () => {
    const path = await bench.folder({ 'real/a.mp4': 'x'.repeat(3_000_000), 'empty.png': '' })
    await symlink(join(path, 'real'), join(path, 'linked'))
    const began = Date.now()
    const { copied, error } = await bench.copy({ kind: 'folder', path }, to, [
      'linked/a.mp4',
      'empty.png',
    ])
    expect([error, copied.sort()]).toEqual([undefined, ['empty.png', 'linked/a.mp4']])
    expect(Date.now() - began).toBeLessThan(5_000)
    const sizes = await Promise.all(copied.map(async (key) => (await bench.s3(to).head(key))?.size))
    expect(sizes).toEqual([0, 3_000_000])
    const run = bench.commands.at(-1)?.args ?? []
    expect(run[run.indexOf('--expect-continue-timeout') + 1]).toBe('0')
  })

  it('what is not there any more is told apart, and what leads nowhere', async () => {
    const path = await bench.folder(['a.png', 'b/c.png'])
    await symlink('nowhere', join(path, 'dangling.png'))
    await symlink('loop.png', join(path, 'loop.png'))
    const lost = ['dangling.png', 'loop.png', 'a.png/below.png']
    const keys = ['a.png', 'gone.png', 'b/gone.png', ...lost]
    const { copied, failed, vanished, error } = await bench.copy({ kind: 'folder', path }, to, keys)
    expect([error, copied]).toEqual([undefined, ['a.png']])
    expect(vanished.sort()).toEqual(['b/gone.png', 'gone.png'])
    expect(Object.fromEntries(failed)).toEqual({
      'dangling.png': 'a link that leads nowhere',
      'a.png/below.png': 'its folder is a file',
      'loop.png': 'a link that leads to itself',
    })
  })

  it.skipIf(isRoot && !hasSetpriv())(
    'an unreadable file fails alone, an unreadable folder does not stop the rest',
    async () => {
      const keys = [...names(20), 'locked/b.png', 'locked/c.png']
      const path = await bench.folder(keys)
      await chmod(join(path, 'a/00007.png'), 0o000)
      // Only our own look tells what stops rclone, and as root it sees more than this rclone.
      if (!isRoot) await chmod(join(path, 'locked'), 0o000)
      const { copied, failed, error } = await asNobody(path, () =>
        bench.copy({ kind: 'folder', path }, to, keys),
      )
      expect(error).toBeUndefined()
      expect([...failed].sort()).toEqual(
        ['a/00007.png', ...(isRoot ? [] : ['locked/b.png', 'locked/c.png'])].map((key) => [
          key,
          'permission denied',
        ]),
      )
      expect(copied.length + failed.size).toBe(22)
    },
  )

  it('a source that is not there is no success', async () => {
    const keys = names(3)
    const path = await bench.folder([])
    await rename(path, `${path}-away`)
    const { error, copied, failed } = await bench.copy({ kind: 'folder', path }, to, keys)
    await rm(`${path}-away`, { recursive: true })
    expect([copied, failed.size]).toEqual([[], 0])
    expect(error).toMatchObject({ code: 'media-gone' })
  })
})

describe('a bucket', () => {
  it('is the source of objects of any size; what is gone there is told', async () => {
    const files = { 'a.mp4': 'x'.repeat(3_000_000), 'b.png': '', 'c.png': 'c' }
    const path = await bench.folder(files)
    await bench.copy({ kind: 'folder', path }, to, Object.keys(files))
    count += 1
    const other = await bench.bucket(`media-${count}`)
    const keys = [...Object.keys(files), 'gone.png']
    const { copied, vanished, failed, error } = await bench.copy(to, other, keys)
    expect([error, [...failed], vanished]).toEqual([undefined, [], ['gone.png']])
    expect(copied.sort()).toEqual(Object.keys(files))
    for (const [key, text] of Object.entries(files)) {
      const there = await bench.s3(other).head(key)
      expect([key, there?.size]).toEqual([key, text.length])
    }
  })
})

describe('what rclone is given', () => {
  it('no foreign settings', async () => {
    bench.environment = {
      ...process.env,
      AWS_CA_BUNDLE: '/etc/hostname',
      AWS_ACCESS_KEY_ID: 'foreign',
      RCLONE_CONFIG_R2_ENDPOINT: 'http://127.0.0.1:1',
      RCLONE_DRY_RUN: 'true',
      RCLONE_TRANSFERS: '0',
      RCLONE_EXCLUDE: '*',
      DB_PASS: 'of others',
    }
    const seen: string[] = []
    bench.onStart = () => void watch((environment) => seen.push(environment))
    const keys = names(20)
    const path = await bench.folder(keys)
    const { copied, error } = await bench.copy({ kind: 'folder', path }, to, keys)
    expect([error, copied.length]).toEqual([undefined, 20])
    expect(seen.join('\n')).not.toMatch(/DB_PASS|DRY_RUN|foreign|AWS_/)
  })

  it('a limit for the bytes of a second', async () => {
    const path = await bench.folder({ 'a.mp4': 'x'.repeat(2_000_000) })
    const began = Date.now()
    const { error } = await bench.copy({ kind: 'folder', path }, to, ['a.mp4'], { bwlimit: '600k' })
    expect(error).toBeUndefined()
    expect(Date.now() - began).toBeGreaterThan(1_500)
  })

  it('secrets by the environment alone, so that no list of processes shows them', async () => {
    const seen: string[] = []
    const path = await bench.folder({ 'a.mp4': 'x'.repeat(1_000_000) })
    const lines: string[] = []
    const rclone = connectRclone({
      stream: (command, options) =>
        bench.stream(command, {
          ...options,
          onLine: (line) => {
            lines.push(line)
            options.onLine(line)
          },
        }),
    })
    bench.onStart = () => void watch((_, line) => seen.push(line))
    const listener = { copied() {}, failed() {}, vanished() {}, moving() {} }
    const batch = { from: { kind: 'folder', path }, to, keys: ['a.mp4'], transfers: 4 } as const
    await rclone.copy({ ...batch, bwlimit: '500k' }, listener)
    expect(seen.some((line) => line.includes('R2:media-'))).toBe(true)
    for (const secret of [to.key.secretAccessKey.reveal(), to.key.accessKeyId]) {
      expect(seen.join('\n')).not.toContain(secret)
      expect(lines.join('\n')).not.toContain(secret)
      expect(JSON.stringify(bench.commands.map(({ args }) => args))).not.toContain(secret)
    }
  })
})

/** For a second: environment and arguments of the rclone processes that copy into this test's bucket. */
async function watch(see: (environment: string, commandLine: string) => void): Promise<void> {
  for (let look = 0; look < 20; look++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        if (!line.includes(`R2:${to.bucket}`)) continue
        see(readFileSync(`/proc/${pid}/environ`, 'utf8'), line)
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

function hasSetpriv(): boolean {
  try {
    execFileSync('setpriv', ['--version'], { timeout: 5_000 })
    return true
  } catch {
    return false
  }
}

/** Root may read everything: there rclone is run without that right. */
async function asNobody<T>(path: string, work: () => Promise<T>): Promise<T> {
  if (!isRoot) return work()
  await chmod(path, 0o755)
  const args = ['--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-all', '--']
  const held = bench.wrap
  bench.wrap = (command) => ({
    ...command,
    program: 'setpriv',
    args: [...args, command.program, ...command.args],
  })
  try {
    return await work()
  } finally {
    bench.wrap = held
  }
}
