import { afterAll, describe, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { FILES, OLD, oldBucket } from './old-bucket.ts'
import { settingsOf } from './storage-lines.ts'

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({
      media: 5,
      uploadsPerSecond: 4,
      settings: (stage) => oldBucket(stage, 'eu'),
    })
afterAll(() => server?.close())

describe.skipIf(rcloneMissing)(`from another S3 provider ${rcloneMissing ?? ''}`, () => {
  test('bucket to bucket, switched while people upload, nothing lost', async () => {
    if (!server) throw new Error('There is no rclone.')
    const { at, migrate, migrateHere, storesIn, lost, stored, stage } = server
    expect(settingsOf(at.read())).toMatchObject({ S3_BUCKET: OLD.bucket, S3_ENABLED: 'true' })
    const prepared = settingsOf(at.read('.env.production.r2'))
    expect(prepared.S3_BUCKET).toBe('social-example-com-media')
    await storesIn('bucket')
    const copied = await migrateHere(['--stage', 'copy', '--yes'])
    expect({ code: copied.code, said: copied.stdout + copied.stderr }).toMatchObject({ code: 0 })
    const keys = [...(await stored()).keys()]
    expect(keys.length).toBeGreaterThan(FILES)
    expect(keys.filter((key) => key.startsWith('backups/'))).toEqual([])
    expect(settingsOf(at.read()).S3_BUCKET).toBe(OLD.bucket)
    const ended = await migrate(['--stage', 'cutover', '--yes'])
    expect({ code: ended.code, said: ended.stdout + ended.stderr }).toMatchObject({ code: 0 })
    expect(settingsOf(at.read())).toMatchObject({ ...prepared, S3_ENABLED: 'true' })
    expect(settingsOf(at.read()).EXTRA_MEDIA_HOSTS).toContain(`https://${OLD.host}`)
    expect(ended.stdout).toContain(`Keep the old bucket ${OLD.bucket}`)
    await storesIn('bucket')
    // What stood on the disk was never in use there.
    expect((await lost()).filter(({ where }) => where === 'bucket')).toEqual([])
    const again = await migrateHere(['--stage', 'compare', '--json'])
    expect({ code: again.code, said: again.stdout }).toMatchObject({ code: 0 })
    const { comparison, settings } = JSON.parse(again.stdout)
    expect(comparison).toMatchObject({ equal: true })
    expect(settings.stage.value).toBe('compare')
    const said = copied.stdout + ended.stdout + ended.stderr + again.stdout
    for (const { value } of stage.sandbox.world.tokens) expect(said).not.toContain(value)
  })
})
