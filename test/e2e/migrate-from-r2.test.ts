import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { BUCKET, openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { FILES, OLD, oldBucket } from './old-bucket.ts'
import { settingsOf } from './storage-lines.ts'

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({
      media: 5,
      uploadsPerSecond: 4,
      settings: (stage) => oldBucket(stage, 'default'),
      init: ['--bucket', BUCKET],
    })
afterAll(() => server?.close())

describe.skipIf(rcloneMissing)(`from one bucket on R2 to another ${rcloneMissing ?? ''}`, () => {
  beforeEach(() => server?.anew())

  test('without a word nothing is done, and the way is told', async () => {
    if (!server) throw new Error('There is no rclone.')
    const { at, migrateHere, stored } = server
    expect(settingsOf(at.read())).toMatchObject({ S3_BUCKET: OLD.bucket, S3_ENABLED: 'true' })
    const { code, stdout } = await migrateHere(['--stage', 'copy', '--yes'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining('--from s3') })
    expect((await stored()).size).toBe(0)
  })

  test('copied and switched while people upload, nothing lost', async () => {
    if (!server) throw new Error('There is no rclone.')
    const { at, migrate, migrateHere, storesIn, lost, stored } = server
    const prepared = settingsOf(at.read('.env.production.r2'))
    expect(prepared.S3_BUCKET).toBe(BUCKET)
    await storesIn('bucket')
    const copied = await migrateHere(['--from', 's3', '--stage', 'copy', '--yes'])
    expect({ code: copied.code, said: copied.stdout + copied.stderr }).toMatchObject({ code: 0 })
    expect((await stored()).size).toBeGreaterThanOrEqual(FILES)
    expect(settingsOf(at.read()).S3_BUCKET).toBe(OLD.bucket)
    // Begun once, it is known.
    const ended = await migrate(['--stage', 'cutover', '--yes'])
    expect({ code: ended.code, said: ended.stdout + ended.stderr }).toMatchObject({ code: 0 })
    expect(settingsOf(at.read())).toMatchObject({ ...prepared, S3_ENABLED: 'true' })
    expect(settingsOf(at.read()).EXTRA_MEDIA_HOSTS).toContain(`https://${OLD.host}`)
    await storesIn('bucket')
    expect((await lost()).filter(({ where }) => where === 'bucket')).toEqual([])
    const again = await migrateHere(['--stage', 'compare', '--json'])
    expect({ code: again.code, said: again.stdout }).toMatchObject({ code: 0 })
    expect(JSON.parse(again.stdout).comparison).toMatchObject({ equal: true })
  })
})
