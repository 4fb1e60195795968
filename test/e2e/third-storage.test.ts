import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { LOCAL_DOMAIN } from './machine.ts'
import { rcloneMissing } from './migrating-server.ts'
import { keysOf, openStage } from './stage.ts'
import { unwrapped } from './unwrapped.ts'

const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())

const KEY = 'media_attachments/files/1/original/a.png'

describe.skipIf(rcloneMissing)(`media at Swift or Azure ${rcloneMissing ?? ''}`, () => {
  test.each([
    ['swift', 'SWIFT_ENABLED=true\nSWIFT_CONTAINER=old media\n'],
    ['azureblob', 'AZURE_ENABLED=true\nAZURE_CONTAINER_NAME=old\n'],
  ])('%s: the line that is told copies with the key that init made', async (backend, lines) => {
    const at = stage.machine(LOCAL_DOMAIN + lines)
    const bucket = `${backend}-media`
    const own = ['--media-host', `${backend}.example.com`, '--bucket', bucket]
    const { code } = await stage.initHere(at, [...own, '--existing-media', 'prepare'])
    expect(code).toBe(0)
    const { stdout } = await stage.initHere(at, ['migrate', '--stage', 'survey'])
    const said = unwrapped(stdout)
    expect(said).toContain(`storage ${backend};`)
    const line = /rclone copy .*? R2:[\w-]+/.exec(said)?.[0] ?? ''
    expect(line).toContain(`R2:${bucket}`)

    // Any storage that rclone reads stands in for the old one.
    const old = join(at.home, backend === 'swift' ? 'old media' : 'old')
    mkdirSync(join(old, 'media_attachments/files/1/original'), { recursive: true })
    writeFileSync(join(old, KEY), 'a picture')
    const [key] = keysOf(stage.sandbox, bucket)
    // The bucket is served by this process, which must not wait.
    await promisify(execFile)('sh', ['-c', line], {
      env: {
        ...{ PATH: process.env.PATH, HOME: at.home, RCLONE_CONFIG: '/dev/null' },
        ...{ RCLONE_CONFIG_OLD_TYPE: 'alias', RCLONE_CONFIG_OLD_REMOTE: at.home },
        ...{ RCLONE_CONFIG_R2_TYPE: 's3', RCLONE_CONFIG_R2_PROVIDER: 'Cloudflare' },
        RCLONE_CONFIG_R2_ENDPOINT: stage.sandbox.s3Url(),
        RCLONE_CONFIG_R2_ACCESS_KEY_ID: key?.id,
        RCLONE_CONFIG_R2_SECRET_ACCESS_KEY: key?.secret,
      },
    })
    const s3Key = {
      accessKeyId: String(key?.id),
      secretAccessKey: new Secret(String(key?.secret)),
    }
    const s3 = connectS3({ endpoint: stage.sandbox.s3Url(), bucket, key: s3Key })
    expect(await s3.head(KEY)).toMatchObject({
      size: 9,
      cacheControl: 'public, max-age=315576000, immutable',
    })
  })
})
