import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { envSwitch, type Switching } from '../../src/leave/env-switch.ts'
import type { EnvFileOnDisk } from '../../src/services/mastodon/port.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { envFileOf, worldOf } from '../fakes/fake-world.ts'
import { write } from '../services/mastodon/scratch.ts'
import { leaving, PICTURE } from './to-disk.ts'

const onR2 = 'S3_ENABLED=true\nS3_BUCKET=media\n'
const NEW = 'media_attachments/files/109/003/original/cccc.png'
const GONE = 'media_attachments/files/109/004/original/dddd.png'

/** By the run's clock the switch is days before anything is stored; what was there is older. */
async function switchedAndBack(meanwhile: (root: string, s3: Bucket) => readonly string[]) {
  const { at: found, root, s3 } = await leaving({ onDisk: { [PICTURE]: 'picture' } })
  const { source } = found.there
  const [before, meantime] = [new Set<string>(), new Set<string>()]
  for await (const files of source.files()) for (const { key } of files) before.add(key)
  async function* files() {
    for await (const some of source.files()) {
      yield some.map((file) =>
        before.has(file.key) && !meantime.has(file.key) ? { ...file, changedAt: 0 } : file,
      )
    }
  }
  const at = { ...found, there: { ...found.there, source: { ...source, files } } } as typeof found
  const world = worldOf({ installation: at.installation })
  let now: EnvFileOnDisk = envFileOf(onR2)
  const services: Switching['services'] = { sidekiq: async () => [], commands: undefined }
  const step = envSwitch(at, { services, readEnvFile: async () => now } as unknown as Switching)
  world.envWriter.write = async (file, text) => {
    now = { ...file, text }
    return { backup: undefined }
  }
  world.envWriter.putBack = async (file, text) => {
    now = { ...file, text }
  }
  await step.change?.(world)
  expect(now.text).not.toBe(onR2)
  for (const key of await meanwhile(root, s3)) meantime.add(key)
  const said = await step.undo?.(world)
  expect(now.text).toBe(onR2)
  return { said, s3, root }
}

type Bucket = Awaited<ReturnType<typeof leaving>>['s3']

test('what Mastodon stored while it was switched is sent to the bucket, and nothing older', async () => {
  const { said, s3, root } = await switchedAndBack((root) => {
    write(root, { [NEW]: 'new' })
    return [NEW]
  })
  expect(said).toContain('1 file that came in meanwhile was sent to the bucket.')
  expect(Buffer.from((await s3.get(NEW)).body).toString()).toBe('new')
  expect(readFileSync(join(root, NEW), 'utf8')).toBe('new')
  expect(await s3.head('accounts/avatars/1/original/old.png')).toBeUndefined()
})

test('what the bucket has is left as it is there', async () => {
  const { said, s3 } = await switchedAndBack((root) => {
    write(root, { [PICTURE]: 'other' })
    return [PICTURE]
  })
  expect(said).not.toContain('came in meanwhile')
  expect(Buffer.from((await s3.get(PICTURE)).body).toString()).toBe('picture')
})

test('what could not be sent is named', async () => {
  const { said } = await switchedAndBack((root, s3) => {
    write(root, { [NEW]: 'new', [GONE]: 'gone' })
    const { put } = s3
    s3.put = async (...details) => {
      if (details[0] === GONE) throw refusal('s3-500')
      return put.apply(s3, details)
    }
    return [NEW, GONE]
  })
  expect(said).toContain('1 file that came in meanwhile was sent to the bucket.')
  expect(said).toContain(`On the disk only: ${GONE}.`)
})
