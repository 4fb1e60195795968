import { afterAll, expect, test } from 'vitest'
import { type Trickling, trickling } from '../fakes/trickling.ts'
import { LOCAL_DOMAIN } from './machine.ts'
import { start } from './program.ts'
import { HOST, openStage, until } from './stage.ts'

const stage = await openStage({ emulator: 'eager' })
const lines: Trickling[] = []
afterAll(async () => {
  for (const line of lines) line.close()
  await stage.close()
})

test.each(['api', 's3', 'web'] as const)(
  '%s sends a byte a second: Ctrl-C ends the run, or what is waited for is said',
  async (side) => {
    const { sandbox } = stage
    const [web = ''] = sandbox.connectTo
    const real = { api: sandbox.apiUrl, s3: sandbox.s3Url(), web: web.slice(2) }
    const line = await trickling(real[side])
    lines.push(line)
    const { place } = line
    const at = { ...real, [side]: side === 'web' ? place : `http://${place}` }
    const key = `AWS_ACCESS_KEY_ID=${'a'.repeat(32)}\nAWS_SECRET_ACCESS_KEY=${'b'.repeat(64)}\n`
    const machine = stage.machine(
      `${LOCAL_DOMAIN}S3_ENABLED=true\nS3_BUCKET=media\nS3_ENDPOINT=${at.s3}\nS3_ALIAS_HOST=${HOST}\n${key}`,
    )
    const api = side === 'api' ? `${at.api}/client/v4` : at.api
    const args = ['check', '--s3-endpoint-url', at.s3, '--connect-to', `::${at.web}`]
    const env = { ...stage.environment(machine), CLOUDFLARE_BASE_URL: api }
    const running = start(args, { cwd: machine.dir, env })
    await until('a byte came', () => line.bytes > 0)
    running.child.kill('SIGINT')
    // What may lie in the bucket is removed first, which is said.
    const words = side === 's3' ? 'test objects are removed' : 'Stopped. Nothing was changed.'
    await until('it says so', () => running.said().includes(words))
    if (side === 's3') running.child.kill('SIGKILL')
    const { code, stdout } = await running.ended
    if (side !== 's3') expect(code, stdout).toBe(130)
  },
)
