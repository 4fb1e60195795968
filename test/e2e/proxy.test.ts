import { afterAll, expect, test } from 'vitest'
import { API, type BehindProxy, behindProxy, S3 } from './behind-proxy.ts'
import type { Machine } from './machine.ts'
import { rcloneMissing } from './migrating-server.ts'
import { familyOf } from './processes.ts'
import { type Ended, run, start } from './program.ts'
import { HOST, openStage } from './stage.ts'

const stage = await openStage({ emulator: 'eager' })
const network: BehindProxy = await behindProxy(stage)
afterAll(async () => {
  await network.close()
  await stage.close()
})

const options = (at: Machine, env: Record<string, string> = {}) => ({
  cwd: at.dir,
  env: { ...stage.environment(at), ...network.env, ...env },
})

function runThere(at: Machine, args: readonly string[], env = {}): Promise<Ended> {
  return run([...args, ...network.flags], options(at, env))
}

const INIT = ['init', '--media-host', HOST, '--yes', '--existing-media', 'prepare']

test('a setup behind a proxy: all of it goes through, and its password is seen nowhere', async () => {
  const at = stage.machine()
  network.tunnels.length = 0
  const ended = await runThere(at, [...INIT, '--verbose'])
  expect(ended.code, ended.stdout + ended.stderr).toBe(0)
  expect(new Set(network.tunnels)).toEqual(new Set([`${API}:443`, `${S3}:443`, `${HOST}:443`]))
  const told = ended.stdout + ended.stderr + [...at.files().values()].join('')
  expect(told).not.toContain(network.password)
  expect(told).not.toContain(encodeURIComponent(network.password))
  const checked = await runThere(at, ['check'])
  expect(checked.stdout).toContain('the proxy looks names up')
  expect(checked.stdout).toMatch(/ok +public web: .*Public read/)
  const words = checked.stdout.replace(/\s+/g, ' ')
  expect(words).toMatch(/goes through the proxy 127\.0\.0\.1:\d+; .* no http_proxy\./)
})

test.skipIf(rcloneMissing)(
  'rclone goes the same way, and is told of it by its environment alone',
  async () => {
    const picture = { 'public/system/cache/a.png': 'a picture' }
    const at = stage.machine(undefined, picture)
    expect((await runThere(at, INIT)).code).toBe(0)
    network.tunnels.length = 0
    const args = ['migrate', '--stage', 'copy', '--media-dir', at.path('public/system'), '--yes']
    const running = start([...args, ...network.flags], options(at))
    const seen = new Set<string>()
    let over = false
    void running.ended.finally(() => {
      over = true
    })
    while (!over) {
      for (const { argv } of familyOf(running.pid)) seen.add(argv)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const ended = await running.ended
    expect(ended.code, ended.stdout + ended.stderr).toBe(0)
    expect(network.tunnels).toContain(`${S3}:443`)
    const arguments_ = [...seen].join('\n')
    expect(arguments_).toContain('rclone')
    expect(arguments_ + ended.stdout + ended.stderr).not.toMatch(/p@ss|p%40ss/)
  },
)

test.each<[string, Record<string, string>, RegExp]>([
  [
    'another password',
    { HTTPS_PROXY: 'http://visitor:wrong-1@PROXY' },
    /407: it wants a name and a/,
  ],
  [
    'nobody there',
    { HTTPS_PROXY: 'http://visitor:wrong-1@127.0.0.1:9' },
    /proxy 127\.0\.0\.1:9 could not/,
  ],
  [
    'another kind of proxy',
    { HTTPS_PROXY: 'socks5://visitor:wrong-1@PROXY' },
    /begins with socks5/,
  ],
])('%s: said at once, and nothing was changed', async (_, env, words) => {
  const at = stage.machine()
  stage.forget()
  const [, place = ''] = network.env.HTTPS_PROXY?.split('@') ?? []
  const given = Object.entries(env).map(([name, value]) => [name, value.replace('PROXY', place)])
  const ended = await runThere(at, INIT, Object.fromEntries(given))
  expect(ended.code).not.toBe(0)
  expect(ended.stdout + ended.stderr).toMatch(words)
  expect(ended.stdout + ended.stderr).not.toContain('wrong-1')
  expect(stage.writes()).toEqual([])
})

test('what a proxy can not reach is told as that', async () => {
  const at = stage.machine()
  const ended = await runThere(at, INIT, {
    CLOUDFLARE_BASE_URL: 'https://nowhere.example/client/v4',
  })
  expect(ended.code).toBe(1)
  expect(ended.stdout + ended.stderr).toMatch(/did not let nowhere\.example:443 through/)
  expect(ended.stdout + ended.stderr).toMatch(/503: it got no connection/)
})

test('what is in NO_PROXY, and this machine, is reached without it', async () => {
  const at = stage.machine()
  network.tunnels.length = 0
  network.refused.length = 0
  const env = {
    HTTPS_PROXY: network.env.HTTPS_PROXY,
    HTTP_PROXY: network.env.HTTPS_PROXY,
    NODE_USE_ENV_PROXY: '1',
  }
  const ended = await stage.init(at, ['--media-host', HOST, '--existing-media', 'prepare'], { env })
  expect(ended.code, ended.stdout + ended.stderr).toBe(0)
  expect([...network.tunnels, ...network.refused]).toEqual([])
  const excepted = await runThere(stage.machine(), INIT, { NO_PROXY: `${API}, other.example` })
  expect(excepted.stdout + excepted.stderr).toMatch(/Cloudflare's API could not be reached/)
  expect([...network.tunnels, ...network.refused]).toEqual([])
})

test('ALL_PROXY alone is not obeyed, which is said', async () => {
  const ended = await stage.init(stage.machine(), ['--media-host', HOST, '--dry-run'], {
    env: { ALL_PROXY: network.env.HTTPS_PROXY },
  })
  expect(ended.stdout + ended.stderr).toMatch(/ALL_PROXY is not obeyed here/)
})
