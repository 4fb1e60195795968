import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { LOCAL_DOMAIN } from './machine.ts'
import { start } from './program.ts'
import { HOST, openStage, until } from './stage.ts'

const stage = await openStage({ emulator: 'eager' })
const servers: Server[] = []
const open = new Set<Socket>()
afterAll(async () => {
  for (const socket of open) socket.destroy()
  for (const server of servers) server.close()
  await stage.close()
})

/** Passes on what comes from there, a byte a second. */
async function trickling(address: string) {
  const port = Number(/:(\d+)(?:\/|$)/.exec(address)?.[1])
  const passed = { bytes: 0 }
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => undefined)
    }
    near.pipe(far)
    let waiting = Buffer.alloc(0)
    far.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk])
    })
    const timer = setInterval(() => {
      if (waiting.length === 0) return
      near.write(waiting.subarray(0, 1))
      waiting = waiting.subarray(1)
      passed.bytes += 1
    }, 1000)
    near.on('close', () => {
      clearInterval(timer)
      far.destroy()
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { passed, place: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test.each(['api', 's3', 'web'] as const)(
  '%s sends a byte a second: Ctrl-C ends the run, or what is waited for is said',
  async (side) => {
    const { sandbox } = stage
    const [web = ''] = sandbox.connectTo
    const real = { api: sandbox.apiUrl, s3: sandbox.s3Url(), web: web.slice(2) }
    const { passed, place } = await trickling(real[side])
    const at = { ...real, [side]: side === 'web' ? place : `http://${place}` }
    const key = `AWS_ACCESS_KEY_ID=${'a'.repeat(32)}\nAWS_SECRET_ACCESS_KEY=${'b'.repeat(64)}\n`
    const machine = stage.machine(
      `${LOCAL_DOMAIN}S3_ENABLED=true\nS3_BUCKET=media\nS3_ENDPOINT=${at.s3}\nS3_ALIAS_HOST=${HOST}\n${key}`,
    )
    const api = side === 'api' ? `${at.api}/client/v4` : at.api
    const args = ['check', '--s3-endpoint-url', at.s3, '--connect-to', `::${at.web}`]
    const env = { ...stage.environment(machine), CLOUDFLARE_BASE_URL: api }
    const running = start(args, { cwd: machine.dir, env })
    await until('a byte came', () => passed.bytes > 0)
    running.child.kill('SIGINT')
    // What may lie in the bucket is removed first, which is said.
    const words = side === 's3' ? 'test objects are removed' : 'Stopped. Nothing was changed.'
    await until('it says so', () => running.said().includes(words))
    if (side === 's3') running.child.kill('SIGKILL')
    const { code, stdout } = await running.ended
    if (side !== 's3') expect(code, stdout).toBe(130)
  },
)
