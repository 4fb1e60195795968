import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { isRequired } from '../../requirement.ts'
import { addBucket, addKey, bucketResource, createStand, startTestFront } from './stand.ts'

const required = isRequired('rclone')

function isInstalled(): boolean {
  try {
    execFileSync('rclone', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe.skipIf(!required && !isInstalled())('rclone', () => {
  const stand = createStand()
  addBucket(stand.world, 'media')
  const key = addKey(stand.world, { [bucketResource('media')]: '*' })
  const files = {
    'a/1.jpeg': Buffer.from('one'),
    'b/deep/ü & (2).png': Buffer.alloc(70_000, 'x'),
    'empty.txt': Buffer.alloc(0),
    // Above the cutoff below: goes up in parts.
    'large.mp4': Buffer.alloc(6 * 1024 * 1024, 'y'),
  }
  let front: Front
  let dir: string

  beforeAll(async () => {
    front = await startTestFront(stand)
    dir = await mkdtemp(join(tmpdir(), 'rclone-test-'))
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(dir, 'from', name)), { recursive: true })
      await writeFile(join(dir, 'from', name), content)
    }
    await stand.pool.start()
  }, 30_000)
  afterAll(async () => {
    await front.close()
    await stand.pool.close()
    await rm(dir, { recursive: true, force: true })
  })

  function rclone(...args: string[]): Promise<string> {
    const env = {
      PATH: process.env.PATH ?? '',
      RCLONE_CONFIG: '/dev/null',
      RCLONE_CONFIG_R2_TYPE: 's3',
      RCLONE_CONFIG_R2_PROVIDER: 'Cloudflare',
      RCLONE_CONFIG_R2_ENDPOINT: front.url,
      RCLONE_CONFIG_R2_REGION: 'auto',
      RCLONE_CONFIG_R2_ACCESS_KEY_ID: key.credentials.accessKeyId,
      RCLONE_CONFIG_R2_SECRET_ACCESS_KEY: key.credentials.secretAccessKey,
    }
    const flags = ['--s3-no-check-bucket', '--retries', '1', '--low-level-retries', '1']
    return new Promise((resolve, reject) => {
      execFile('rclone', [...args, ...flags], { env }, (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message} ${stderr}`)) : resolve(stdout),
      )
    })
  }

  test('copies there, lists, checks, copies back and deletes', async () => {
    const upload = ['--s3-upload-cutoff', '5M', '--s3-chunk-size', '5M']
    const cache = ['--header-upload', 'Cache-Control: public, max-age=315576000, immutable']
    await rclone('copy', join(dir, 'from'), 'r2:media/in', ...upload, ...cache)
    const listed = await rclone('lsf', '-R', '--files-only', '--format', 'ps', 'r2:media/in')
    expect(listed.trim().split('\n').sort()).toEqual(
      Object.entries(files)
        .map(([name, { length }]) => `${name};${length}`)
        .sort(),
    )
    await rclone('check', '--download', join(dir, 'from'), 'r2:media/in')
    await rclone('copy', 'r2:media/in', join(dir, 'back'))
    for (const [name, content] of Object.entries(files)) {
      expect(content.equals(await readFile(join(dir, 'back', name)))).toBe(true)
    }
    await rclone('delete', 'r2:media/in')
    expect(await rclone('lsf', '-R', '--files-only', 'r2:media/in')).toBe('')
  }, 60_000)

  test('fails on another bucket', async () => {
    addBucket(stand.world, 'other')
    await expect(rclone('lsf', 'r2:other')).rejects.toThrow(/AccessDenied/)
  })
})
