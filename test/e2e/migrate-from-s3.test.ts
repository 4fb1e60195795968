import { afterAll, describe, expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { addKey, ITEM_WRITE } from '../sandbox/r2/stand.ts'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import type { Stage } from './stage.ts'
import { settingsOf } from './storage-lines.ts'

const FILES = 30
const OLD = { bucket: 'old-media', host: 'old.example.net' }

/** A bucket that is another provider's as far as Mastodon knows, with media in it. */
async function oldProvider({ sandbox }: Stage): Promise<string> {
  const { accountId, apiUrl, bootstrapToken, world } = sandbox
  const { status } = await fetch(`${apiUrl}/accounts/${accountId}/r2/buckets`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${bootstrapToken.reveal()}`,
      'content-type': 'application/json',
      'cf-r2-jurisdiction': 'eu',
    },
    body: JSON.stringify({ name: OLD.bucket }),
    signal: AbortSignal.timeout(10_000),
  })
  expect(status).toBe(200)
  const resource = `com.cloudflare.edge.r2.bucket.${accountId}_eu_${OLD.bucket}`
  const { credentials } = addKey(world, { [resource]: '*' }, ITEM_WRITE, { accountId })
  const { accessKeyId, secretAccessKey } = credentials
  const endpoint = sandbox.s3Url('eu')
  const key = { accessKeyId, secretAccessKey: new Secret(secretAccessKey) }
  const s3 = connectS3({ endpoint, bucket: OLD.bucket, key })
  const headers = { contentType: 'image/png', cacheControl: 'max-age=60' }
  for (let nth = 0; nth < FILES; nth += 1) {
    const name = `media_attachments/files/000/000/${100 + nth}/original/${nth} \u00e9.png`
    await s3.put(name, Buffer.from(`picture ${nth}`), headers)
  }
  await s3.put('backups/dumps/000/000/001/original/archive.zip', Buffer.from('zip'), headers)
  return `S3_ENABLED=true
S3_BUCKET=${OLD.bucket}
S3_REGION=eu-1
S3_ENDPOINT=${endpoint}
S3_ALIAS_HOST=${OLD.host}
AWS_ACCESS_KEY_ID=${accessKeyId}
AWS_SECRET_ACCESS_KEY=${secretAccessKey}
`
}

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({ media: 5, uploadsPerSecond: 4, settings: oldProvider })
afterAll(() => server?.close())

describe.skipIf(rcloneMissing)(`from another S3 provider ${rcloneMissing ?? ''}`, () => {
  test('bucket to bucket, switched while people upload, nothing lost', async () => {
    if (!server) throw new Error('There is no rclone.')
    const { at, migrate, storesIn, lost, stored, stage } = server
    expect(settingsOf(at.read())).toMatchObject({ S3_BUCKET: OLD.bucket, S3_ENABLED: 'true' })
    const prepared = settingsOf(at.read('.env.production.r2'))
    expect(prepared.S3_BUCKET).toBe('social-example-com-media')
    await storesIn('bucket')
    const copied = await migrate(['--stage', 'copy', '--yes'])
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
    const again = await migrate(['--stage', 'compare', '--json'])
    expect({ code: again.code, said: again.stdout }).toMatchObject({ code: 0 })
    const { comparison, settings } = JSON.parse(again.stdout)
    expect(comparison).toMatchObject({ equal: true })
    expect(settings.stage.value).toBe('compare')
    const said = copied.stdout + ended.stdout + ended.stderr + again.stdout
    for (const { value } of stage.sandbox.world.tokens) expect(said).not.toContain(value)
  })
})
