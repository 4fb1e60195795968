import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import type { S3Port } from '../../src/services/s3/port.ts'
import { ENV } from './machine.ts'
import { BUCKET, openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { keysOf } from './stage.ts'

const VIDEO = 'media_attachments/files/109/900/original/video.mp4'
const PICTURE = 'media_attachments/files/109/901/original/picture.png'
const headers = { contentType: 'image/png', cacheControl: '' }
const DAY_MS = 86_400_000

const server = rcloneMissing ? undefined : await openMigratingServer({ media: 8 })
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}
const path = (key: string) => join(the().at.dir, 'public/system', key)
const read = (key: string) => readFileSync(path(key), 'utf8')
const mode = (key: string) => statSync(path(key)).mode & 0o777

const words = (stage: string, args: readonly string[]) => ['leave', '--stage', stage, ...args]
const leave = (stage: string, args: readonly string[] = []) =>
  the().stage.init(the().at, words(stage, args), { env: the().env })
const leaveHere = (stage: string, args: readonly string[] = []) =>
  the().stage.initHere(the().at, words(stage, args), { env: the().env })

function r2(): S3Port {
  const { sandbox } = the().stage
  const [key] = keysOf(sandbox, BUCKET)
  if (!key) throw new Error('There is no key.')
  const s3Key = { accessKeyId: key.id, secretAccessKey: new Secret(key.secret) }
  return connectS3({ endpoint: sandbox.s3Url(), bucket: BUCKET, key: s3Key })
}

/** What Mastodon answers when it is asked whose users are suspended. */
function suspend(...keys: readonly string[]): void {
  const told = keys.map((key) => `echo '${key}'\n`).join('')
  writeFileSync(join(the().at.dir, 'bin/rails'), `#!/bin/sh\n${told}`, { mode: 0o755 })
}

/** On R2, and copied to the disk while a video is still worked on. */
beforeAll(async () => {
  if (!server) return
  for (const stage of ['copy', 'cutover']) {
    const { code, stdout, stderr } = await server.migrateHere(['--stage', stage, '--yes'])
    expect(code, stdout + stderr).toBe(0)
  }
  suspend()
  await r2().put(VIDEO, Buffer.from('raw'), headers)
  await r2().put(PICTURE, Buffer.from('picture'), headers)
  const copied = await leaveHere('copy', ['--yes'])
  expect(copied.code, copied.stdout + copied.stderr).toBe(0)
}, 120_000)

describe.skipIf(rcloneMissing)(`between the stages ${rcloneMissing ?? ''}`, () => {
  test('what Mastodon stored anew after the copy comes again, and who was suspended is hidden', async () => {
    expect([read(VIDEO), mode(PICTURE) & 0o004]).toEqual(['raw', 0o004])
    // By less the clocks of two machines can't be told apart.
    await sleep(2_500)
    await r2().put(VIDEO, Buffer.from('transcoded'), headers)
    suspend(PICTURE)
    const compared = await leaveHere('compare')
    expect([compared.code, compared.stdout]).toEqual([
      1,
      expect.stringContaining('1 stored anew on R2'),
    ])
    const switched = await leave('cutover', ['--yes'])
    expect(switched.code, switched.stdout + switched.stderr).toBe(0)
    expect(switched.stdout).toContain('hide what is there of suspended users')
    expect([read(VIDEO), mode(PICTURE)]).toEqual(['transcoded', 0o600])
  })

  test('what Mastodon wrote on the disk since stays, and each run comes to its end', async () => {
    writeFileSync(path(VIDEO), 'of the disk')
    appendFileSync(the().at.path(ENV), 'SMTP_SERVER=mail.example.com\n')
    for (const stage of ['copy', 'cutover', 'compare']) {
      const args = stage === 'compare' ? ['--checksum'] : ['--yes']
      const { code, stdout, stderr } = await leaveHere(stage, args)
      expect(code, stdout + stderr).toBe(0)
      expect(read(VIDEO)).toBe('of the disk')
      if (stage !== 'cutover') expect(stdout).toContain('stored there since Mastodon uses the disk')
    }
    await r2().put(VIDEO, Buffer.from('of the disk'), headers)
  })

  test('what Mastodon removed from the disk stays away, whatever else was changed in its env file', async () => {
    rmSync(path(PICTURE))
    const { at } = the()
    const backups = readdirSync(at.dir).filter((name) =>
      /^\.env\.production\.mastodon-r2-.*\.bak$/.test(name),
    )
    const newest = backups.sort().at(-1) ?? ''
    const stamp = (time: Date) => time.toISOString().replaceAll(/[-:]|\.\d+/g, '')
    // As if all of that had been there for a day before the switch.
    const later = `${ENV}.mastodon-r2-${stamp(new Date(Date.now() + 2 * DAY_MS))}.bak`
    renameSync(at.path(newest), at.path(later))
    const copied = await leaveHere('copy', ['--yes'])
    expect(copied.code, copied.stdout + copied.stderr).toBe(0)
    expect(copied.stdout).toContain('Mastodon has removed what is missing since')
    expect(() => statSync(path(PICTURE))).toThrow('ENOENT')
  })
})
