import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { createAuthority } from '../../src/sandbox/certificate.ts'
import { ENV, LOCAL_DOMAIN } from './machine.ts'
import { rcloneMissing } from './migrating-server.ts'
import { run } from './program.ts'
import { HOST, openStage } from './stage.ts'

const HOUR = 3_600_000
const now = { offset: 0 }
const stage = await openStage({ emulator: 'eager', clock: () => Date.now() + now.offset })
const servers: Server[] = []
afterAll(async () => {
  for (const server of servers) server.close()
  await stage.close()
})

const SET = /\n *(?:Next: )?timedatectl set-ntp true/

describe('what is refused for the time is told as the clock, with the line to type', () => {
  test.each([HOUR, -HOUR])('S3, %i ms off', async (offset) => {
    const at = stage.machine()
    expect((await stage.initHere(at)).code).toBe(0)
    now.offset = offset
    const checked = await stage.initHere(at, ['check'])
    now.offset = 0
    expect(checked.code).toBe(1)
    expect(checked.stdout).toMatch(/This machine's clock is wrong/)
    expect(checked.stdout).toMatch(SET)
  })

  test.skipIf(rcloneMissing)('rclone', async () => {
    const at = stage.machine(undefined, { 'public/system/cache/a.png': 'a picture' })
    const prepared = await stage.initHere(at, ['--media-host', HOST, '--existing-media', 'prepare'])
    expect(prepared.code).toBe(0)
    now.offset = HOUR
    const media = ['--media-dir', at.path('public/system')]
    const copied = await stage.initHere(at, ['migrate', '--stage', 'copy', '--yes', ...media])
    now.offset = 0
    expect(copied.code).toBe(1)
    expect(copied.stdout).toMatch(/This machine's clock is wrong/)
    expect(copied.stdout).toMatch(SET)
  })

  test.each([
    ['is not valid yet', 40 * 24 * HOUR],
    ['has expired', -40 * 24 * HOUR],
  ])('a certificate that %s', async (words, offset) => {
    const authority = createAuthority(Date.now() + offset)
    const server = createServer(authority.issue('localhost'))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    const origin = `https://localhost:${(server.address() as AddressInfo).port}`
    const at = stage.machine(
      `${LOCAL_DOMAIN}S3_ENABLED=true\nS3_BUCKET=media\nS3_REGION=auto\nS3_PROTOCOL=https\nS3_ENDPOINT=${origin}\nAWS_ACCESS_KEY_ID=${'a'.repeat(32)}\nAWS_SECRET_ACCESS_KEY=${'b'.repeat(64)}\n`,
    )
    at.write('ca.pem', authority.pem)
    const env = { NODE_EXTRA_CA_CERTS: at.path('ca.pem'), CLOUDFLARE_BASE_URL: `${origin}/v4` }
    for (const args of [
      ['init', '--media-host', HOST, '--existing-media', 'switch', '--yes'],
      ['check', '--s3-endpoint-url', origin],
    ]) {
      const ended = await run(args, { cwd: at.dir, env: { ...stage.environment(at), ...env } })
      const told = ended.stdout.replaceAll(/\s+/g, ' ')
      expect(told).toContain(`${words} by this machine's clock, which says 20`)
      expect(ended.stdout).toMatch(SET)
    }
    expect(at.read(ENV)).toContain(origin)
  })
})
