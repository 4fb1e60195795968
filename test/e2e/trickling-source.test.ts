import { afterAll, describe, expect, test } from 'vitest'
import { type Trickling, trickling } from '../fakes/trickling.ts'
import { ENV } from './machine.ts'
import { openMigratingServer, rcloneMissing } from './migrating-server.ts'
import { OLD, oldBucket } from './old-bucket.ts'
import { until } from './stage.ts'

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({ media: 5, settings: (stage) => oldBucket(stage, 'eu') })
const lines: Trickling[] = []
afterAll(async () => {
  for (const line of lines) line.close()
  await server?.close()
})

describe.skipIf(rcloneMissing)(`an old provider slow to answer ${rcloneMissing ?? ''}`, () => {
  test.each([
    ['the list', 'list-type=2'],
    ['a file that rclone reads', `/${OLD.bucket}/media_attachments/`],
  ])(
    '%s comes a byte a second: Ctrl-C ends the copy, and the next one is whole',
    async (_, from) => {
      if (!server) throw new Error('There is no rclone.')
      const { at, stage, start, migrate } = server
      await server.anew()
      const line = await trickling(stage.sandbox.s3Url('eu'), from)
      lines.push(line)
      const whole = at.read()
      at.write(ENV, whole.replace(/^S3_ENDPOINT=.*$/m, `S3_ENDPOINT=http://${line.place}`))
      const running = start(['--stage', 'copy', '--yes'])
      await until('a byte came', () => line.bytes > 0)
      running.child.kill('SIGINT')
      const { code, stdout, stderr } = await running.ended
      expect(code, stdout + stderr).toBe(130)
      at.write(ENV, whole)
      const again = await migrate(['--stage', 'copy', '--yes'])
      expect(again.code, again.stdout + again.stderr).toBe(0)
    },
  )
})
