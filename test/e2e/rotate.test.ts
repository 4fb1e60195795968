import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { type FakeServices, fakeServices } from '../fakes/fake-services.ts'
import { LOCAL_DOMAIN, type Machine } from './machine.ts'
import { run } from './program.ts'
import { keysOf, openStage, until } from './stage.ts'
import { settingsOf } from './storage-lines.ts'

const stage = await openStage({ emulator: 'eager', domainMs: 0 })
const services: FakeServices[] = []
afterAll(async () => {
  for (const one of services) one.stop()
  await stage.close()
})

const source = { 'lib/mastodon/version.rb': '', 'public/packs/manifest.json': '{}' }
const image = 'ghcr.io/mastodon/mastodon:v4.6.5'
const compose = `services:\n  web:\n    image: ${image}\n    env_file: .env.production\n    volumes: ["./public/system:/mastodon/public/system"]\n`

/** A server that was set up, with services that can be restarted. */
async function server(name: string, files: Readonly<Record<string, string>> = source) {
  const bucket = `${name}-media`
  const at = stage.machine(`${LOCAL_DOMAIN}# mine\n`, files)
  const host = ['--media-host', `${name}.example.com`]
  const { code, stdout } = await stage.initHere(at, [...host, '--bucket', bucket])
  if (code !== 0) throw new Error(stdout)
  const fake = fakeServices(at)
  services.push(fake)
  const words = ['rotate', '--yes', '--grace', '0s']
  const rotate = (...args: string[]) => stage.init(at, [...words, ...args], { env: fake.env })
  const rotateHere = (...args: string[]) =>
    stage.initHere(at, [...words, ...args], { env: fake.env })
  return { at, bucket, fake, rotate, rotateHere }
}

const keyOf = (at: Machine) => settingsOf(at.read()).AWS_ACCESS_KEY_ID
const names = (bucket: string) => {
  const { tokens } = stage.sandbox.world
  return tokens.filter(({ name }) => name.includes(` ${bucket} `)).map(({ name }) => name)
}
const inUse = (bucket: string) => [expect.stringContaining(`mastodon-r2 ${bucket} `)]

describe.concurrent('rotate', () => {
  test('--restart run: everything, in one go', async () => {
    const { at, bucket, fake, rotate } = await server('whole')
    const [before, old] = [at.read(), keysOf(stage.sandbox, bucket)]
    const { code, stdout, stderr } = await rotate('--restart', 'run')
    expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: '' })
    expect(stdout).toContain('Rotated: the new key is in use, the old one is gone.')
    expect(stdout).toContain('fake systemctl: restart')
    expect(fake.asked()).toEqual([
      'systemctl restart mastodon-sidekiq*',
      'systemctl restart mastodon-web.service',
    ])
    const now = keysOf(stage.sandbox, bucket)
    expect(now).toHaveLength(1)
    expect(now[0]?.id).not.toBe(old[0]?.id)
    expect(names(bucket)).toEqual(inUse(bucket))
    const text = before
      .replace(old[0]?.id ?? '', now[0]?.id ?? '')
      .replace(old[0]?.secret ?? '', now[0]?.secret ?? '')
    expect(at.read()).toBe(text)
    for (const { secret, id } of [...now, ...old]) {
      expect(stdout).not.toContain(secret)
      expect(stdout).not.toContain(id)
    }
  })

  test('without a terminal it prints the commands, and goes on once they were run', async () => {
    const { at, bucket, fake, rotateHere } = await server('printed')
    const old = keyOf(at)
    const first = await rotateHere()
    expect(first.code).toBe(3)
    expect(first.stdout).toContain("systemctl restart 'mastodon-sidekiq*' && ")
    expect(first.stdout).toContain('The old key stays active until Mastodon uses the new one.')
    expect(names(bucket)).toEqual([
      expect.stringContaining(`mastodon-r2-retiring ${bucket} `),
      expect.stringContaining(`mastodon-r2 ${bucket} `),
    ])
    const [key, text] = [keyOf(at), at.read()]
    expect(key).not.toBe(old)
    const again = await rotateHere()
    expect(again.code).toBe(3)
    expect(names(bucket)).toHaveLength(2)
    expect(fake.asked()).toEqual([])
    await sleep(1_100)
    await fake.restart()
    const last = await rotateHere()
    expect(last.stdout).toContain('all 2 began after the env file changed')
    expect(last.code).toBe(0)
    expect(names(bucket)).toEqual(inUse(bucket))
    expect(at.read()).toBe(text)
  })

  test('a person’s word counts where nothing can be seen, and only afterwards', async () => {
    const { at, bucket, rotateHere } = await server('vouched', {})
    expect((await rotateHere('--assume-restarted')).code).toBe(3)
    expect(names(bucket)).toHaveLength(2)
    const key = keyOf(at)
    const { code, stdout } = await rotateHere('--assume-restarted')
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expect(names(bucket)).toEqual(inUse(bucket))
    expect(keyOf(at)).toBe(key)
  })

  test('containers are made anew and seen to be', async () => {
    const { at, bucket, fake, rotateHere } = await server('docker', {
      'docker-compose.yml': compose,
    })
    const { code, stdout } = await rotateHere('--restart', 'run')
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expect(fake.asked()).toEqual([
      `docker compose up -d --no-deps --force-recreate sidekiq web in ${at.dir}`,
    ])
    expect(names(bucket)).toEqual(inUse(bucket))
  })

  test('stopped in the grace period; the next run goes on', async () => {
    const { at, bucket, fake } = await server('graced')
    const args = ['rotate', '--yes', '--restart', 'run', '--grace']
    const running = stage.start(at, [...args, '1h'], { env: fake.env })
    await until('the grace period', () => running.said().includes('You can stop this run'))
    running.child.kill('SIGINT')
    const { code, stdout } = await running.ended
    expect({ code, stdout }).toMatchObject({ code: 130 })
    expect(names(bucket)).toHaveLength(2)
    const check = await stage.initHere(at, ['init', '--dry-run'])
    expect(check.stdout).toContain('npx mastodon-r2 rotate')
    const key = keyOf(at)
    const again = await stage.initHere(at, [...args, '0s'], { env: fake.env })
    expect(again.code).toBe(0)
    expect(names(bucket)).toEqual(inUse(bucket))
    expect(keyOf(at)).toBe(key)
  })

  test('a key that this token does not see stays, and is named', async () => {
    const { at, bucket, rotateHere } = await server('foreign')
    const { tokens } = stage.sandbox.world
    const index = tokens.findIndex(({ id }) => id === keyOf(at))
    const token = tokens[index]
    if (!token) throw new Error('no key')
    tokens[index] = { ...token, kind: 'user', accountId: undefined, name: 'Mastodon uploads' }
    const { code, stdout } = await rotateHere('--restart', 'run')
    expect({ code, stdout }).toMatchObject({ code: 3 })
    expect(stdout).toContain('The new key is in use; the old one is still active.')
    expect(stdout).toContain('this API token does not see it')
    expect(tokens.map(({ name }) => name)).toContain('Mastodon uploads')
    expect(names(bucket)).toEqual(inUse(bucket))
  })

  test('--json', async () => {
    const { rotateHere } = await server('json')
    const { code, stdout } = await rotateHere('--restart', 'run', '--json')
    expect(code).toBe(0)
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({ command: 'rotate', ok: true, problem: null })
    expect(report.env.changed).toEqual(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
  })

  test('init --rotate is the same; a dry run changes nothing', async () => {
    const { at, bucket } = await server('asked')
    const before = at.files()
    const args = ['--dry-run', '--grace', '5m']
    const [one, other] = [
      await stage.initHere(at, ['init', '--rotate', ...args]),
      await stage.initHere(at, ['rotate', ...args]),
    ]
    expect(one).toEqual(other)
    expect(one.stdout).toContain('disable the old key, then delete it')
    expect(at.files()).toEqual(before)
    expect(names(bucket)).toEqual(inUse(bucket))
  })
})

describe('refused, with nothing changed', () => {
  test.each([
    ['--roll', [], 'no-roll'],
    ['an env file without R2', [], 'nothing-to-rotate'],
    ['a wrong time', ['--grace', 'soon'], 'settings-wrong'],
    ['a flag of init', ['--media-host', 'x.example.com'], 'unknown-flag'],
  ])('%s', async (name, args, problem) => {
    const at = stage.machine()
    const before = at.files()
    const given = name === '--roll' ? [name] : args
    const { code, stdout } = await stage.initHere(at, ['rotate', '--yes', '--json', ...given])
    expect(code).toBe(2)
    expect(JSON.parse(stdout).problem.code).toBe(problem)
    expect(at.files()).toEqual(before)
  })
})

test('--schedule prints, and needs neither token nor network', async () => {
  const at = stage.machine()
  const before = at.files()
  const args = ['rotate', '--schedule', '--mastodon-env', 'my env', '--grace', '2h']
  const { code, stdout } = await run(args, { cwd: at.dir, env: { HOME: at.home } })
  expect(code).toBe(0)
  expect(stdout).toContain('[Timer]')
  expect(stdout).toContain(`--grace 2h --mastodon-env '${at.path('my env')}' --restart run --yes`)
  expect(at.files()).toEqual(before)
})
