import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing, type Trap } from './migrating-server.ts'

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({ media: 20, uploadsPerSecond: 4 })
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}

/** Once is enough: the cut-over copies what came since. */
let isCopied = false

/** On R2, with people who upload there. */
beforeEach(async () => {
  if (!server) return
  await server.back()
  for (const stage of isCopied ? ['cutover'] : ['copy', 'cutover']) {
    const { code, stdout, stderr } = await server.migrateHere(['--stage', stage, '--yes'])
    expect(code, stdout + stderr).toBe(0)
  }
  isCopied = true
  await server.storesIn('bucket')
}, 120_000)

const words = (args: readonly string[]) => ['leave', '--stage', 'cutover', '--yes', ...args]
const leave = (args: readonly string[] = []) =>
  the().stage.init(the().at, words(args), { env: the().env })
const leaveHere = (args: readonly string[] = []) =>
  the().stage.initHere(the().at, words(args), { env: the().env })
const trap = (args: string, then: Trap['then']) => the().trap({ program: 'systemctl', args, then })

/** Of all that was ever uploaded, what is not on the disk with its bytes. */
function notOnDisk() {
  const { at, uploads } = the()
  const path = (key: string) => join(at.dir, 'public/system', key)
  const md5 = (key: string) =>
    createHash('md5')
      .update(readFileSync(path(key)))
      .digest('hex')
  const stored = uploads().filter(({ error }) => error === undefined)
  return stored.filter((one) => !existsSync(path(one.key)) || md5(one.key) !== one.md5)
}

async function isOnDisk(): Promise<void> {
  const { at, storesIn } = the()
  expect(at.read()).toMatch(/^S3_ENABLED=false$/m)
  await storesIn('disk')
  expect(notOnDisk()).toEqual([])
}

async function isOnR2(before: string): Promise<void> {
  const { at, storesIn, lost } = the()
  expect(at.read()).toBe(before)
  await storesIn('bucket')
  expect(await lost()).toEqual([])
}

describe.skipIf(rcloneMissing)(
  `a switch to the disk while people upload ${rcloneMissing ?? ''}`,
  () => {
    test.each([[[]], [['--stop']], [['--no-downtime']]])('nothing is lost: %s', async (variant) => {
      const { code, stdout, stderr } = await leaveHere(variant)
      expect(code, stdout + stderr).toBe(0)
      expect(stdout).toContain('Mastodon stores its media on the disk.')
      await isOnDisk()
      const again = await leaveHere(['--json'])
      expect(again.code, again.stdout).toBe(0)
      expect(JSON.parse(again.stdout).steps).toMatchObject(
        expect.arrayContaining([expect.objectContaining({ id: 'env-switch', status: 'ready' })]),
      )
    })

    test('nothing starts again at once: everything goes back, with what came in between', async () => {
      const before = the().at.read()
      trap('start*', 'fail-once')
      const { code, stdout } = await leaveHere(['--stop'])
      expect(code, stdout).toBe(1)
      expect(stdout).toContain('Not switched; everything is back as it was.')
      await isOnR2(before)
    })

    test('Ctrl-C while Mastodon restarts: everything goes back, with what came in between', async () => {
      const before = the().at.read()
      trap('restart*', 'interrupt-once')
      const { code, stdout } = await leave()
      expect(code, stdout).toBe(130)
      expect(stdout).toContain('Not switched; everything is back as it was.')
      await isOnR2(before)
    })

    test.each([
      ['while Sidekiq goes to rest', 'kill*TSTP*', 'kill-after'],
      ['while Mastodon restarts', 'restart*', 'kill-before'],
    ] as const)('killed %s: the next run brings it to its end', async (_, args, then) => {
      trap(args, then)
      const killed = await leave()
      expect(killed.signal).toBe('SIGKILL')
      trap('nothing', 'fail')
      for (const [stage, exit] of [
        ['copy', 0],
        ['redirects', 2],
      ] as const) {
        const said = await the().stage.initHere(the().at, ['leave', '--stage', stage, '--yes'], {
          env: the().env,
        })
        expect(said.code, said.stdout).toBe(exit)
        expect(said.stdout).toContain('leave --s3-endpoint-url')
        expect(said.stdout).toContain('--stage cutover')
      }
      const { code, stdout, stderr } = await leave()
      expect(code, stdout + stderr).toBe(0)
      await isOnDisk()
    })

    test('a disk that visitors do not get is no place to go to', async () => {
      const { at } = the()
      const before = at.read()
      at.write(
        '.env.production',
        before.replace(/^LOCAL_DOMAIN=.*$/m, 'LOCAL_DOMAIN=files.example.com'),
      )
      const { code, stdout } = await leaveHere(['--json'])
      expect(code).toBe(1)
      expect(JSON.parse(stdout).problem).toMatchObject({ code: 'disk-not-served' })
      at.write('.env.production', before)
      await isOnR2(before)
    })
  },
)
