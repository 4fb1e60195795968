import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { fakeServices } from '../fakes/fake-services.ts'
import { ENV, LOCAL_DOMAIN } from './machine.ts'
import { run, SUDO } from './program.ts'
import { keysOf, openStage } from './stage.ts'
import { settingsOf, storageLines } from './storage-lines.ts'
import { unwrapped } from './unwrapped.ts'

const stage = await openStage({ emulator: 'eager', domainMs: 300, keyMs: 300 })
afterAll(() => stage.close())

/** Each test has a host and a bucket of its own, so that they can run side by side. */
function own(name: string) {
  const [host, bucket] = [`${name}.example.com`, `${name}-media`]
  return { host, bucket, args: ['--media-host', host, '--bucket', bucket] }
}

describe.concurrent('init on an env file', () => {
  const mail = "SMTP_FROM_ADDRESS='Mastodon <n@example.com>'"
  test.each([
    { name: 'plain', before: `${LOCAL_DOMAIN}# mail\n${mail}\n` },
    { name: 'crlf', before: `LOCAL_DOMAIN=social.example.com\r\n${mail}\r\n` },
    { name: 'unended', before: `${LOCAL_DOMAIN}${mail}` },
    { name: 'empty', before: '' },
  ])('$name: every old line stays as it is', async ({ name, before }) => {
    const { host, bucket, args } = own(name)
    const at = stage.machine(before)
    const { code, stderr, stdout } = await stage.initHere(at, args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('R2 is ready and proven.')
    const after = at.read()
    expect(after.startsWith(before)).toBe(true)
    expect(settingsOf(after)).toEqual({
      ...settingsOf(before),
      ...storageLines(stage, { bucket, host }),
    })
    const ends = after.match(/\r?\n/g) ?? []
    expect(new Set(ends)).toEqual(new Set([name === 'crlf' ? '\r\n' : '\n']))
    expect(after.endsWith('\n')).toBe(true)
    expect(statSync(at.path(ENV)).mode & 0o777).toBe(0o600)
    expect(backups(at.dir).map((file) => at.read(file))).toEqual([before])
  })

  test('a missing file is made, for its owner alone', async () => {
    const { host, bucket, args } = own('missing')
    const at = stage.machine()
    const { code } = await stage.init(at, [...args, '--mastodon-env', 'new.env'])
    expect(code).toBe(0)
    expect(settingsOf(at.read('new.env'))).toEqual(storageLines(stage, { bucket, host }))
    expect(statSync(at.path('new.env')).mode & 0o777).toBe(0o600)
    expect(at.read()).toBe(LOCAL_DOMAIN)
  })

  test('a symlink stays one', async () => {
    const { host, bucket, args } = own('linked')
    const at = stage.machine(undefined, { 'real/env': LOCAL_DOMAIN })
    symlinkSync('real/env', at.path('link.env'))
    const { code } = await stage.initHere(at, [...args, '--mastodon-env', 'link.env'])
    expect(code).toBe(0)
    expect(lstatSync(at.path('link.env')).isSymbolicLink()).toBe(true)
    expect(settingsOf(at.read('real/env'))).toMatchObject(storageLines(stage, { bucket, host }))
  })

  test('the file that holds the storage settings is the one that changes', async () => {
    const { host, bucket, args } = own('local')
    const stronger = `${ENV}.local`
    const at = stage.machine(LOCAL_DOMAIN, { [stronger]: 'S3_BUCKET=old\n' })
    expect((await stage.initHere(at, args)).code).toBe(0)
    expect(at.read()).toBe(LOCAL_DOMAIN)
    expect(settingsOf(at.read(stronger))).toEqual(storageLines(stage, { bucket, host }))
  })

  test('leftovers of a tutorial are no answers', async () => {
    const { host, args } = own('tutorial')
    const leftovers = 'S3_BUCKET={{your-bucket}} # name\nS3_ALIAS_HOST={{your-host}}\n'
    const at = stage.machine(`${LOCAL_DOMAIN}S3_ENDPOINT={{endpoint}}\n${leftovers}`)
    expect((await stage.initHere(at, args)).code).toBe(0)
    expect(at.read()).not.toContain('{{')
    expect(settingsOf(at.read())).toMatchObject({
      S3_BUCKET: 'tutorial-media',
      S3_ALIAS_HOST: host,
    })
  })

  test('old settings are replaced in place, hindrances commented out', async () => {
    const { host, bucket, args } = own('replaced')
    const before = `${LOCAL_DOMAIN}S3_PERMISSION=private\nS3_STORAGE_CLASS=STANDARD_IA\nDB_HOST=db\n`
    const at = stage.machine(before)
    const { code } = await stage.initHere(at, args)
    expect(code).toBe(0)
    const lines = at.read().split('\n')
    expect(lines.slice(0, 2)).toEqual([LOCAL_DOMAIN.trim(), 'S3_PERMISSION='])
    expect(lines).toContain('DB_HOST=db')
    expect(lines.filter((line) => /STORAGE_CLASS/.test(line))).toEqual([
      expect.stringMatching(/^#/),
    ])
    expect(settingsOf(at.read())).toMatchObject(storageLines(stage, { bucket, host }))
  })
})

describe.concurrent('init finds Mastodon', () => {
  test('in a folder with a compose file', async () => {
    const { host, bucket, args } = own('docker')
    const image = 'ghcr.io/mastodon/mastodon:v4.6.5'
    const yaml = `services:\n  web:\n    image: ${image}\n    env_file: .env.production\n    volumes: ["./public/system:/mastodon/public/system"]\n`
    const at = stage.machine(undefined, { 'docker-compose.yml': yaml })
    const { code, stdout } = await stage.init(at, args)
    expect(code).toBe(0)
    expect(unwrapped(stdout)).toContain(
      'Found Mastodon 4.6.5 with Docker Compose for social.example.com',
    )
    expect(stdout).toContain(`cd ${at.dir} && docker compose up -d`)
    expect(settingsOf(at.read())).toMatchObject(storageLines(stage, { bucket, host }))
  })

  test('and says that it is to be restarted until that was seen', async () => {
    const { args } = own('restarted')
    const yaml = `services:\n${['web', 'sidekiq'].map((name) => `  ${name}:\n    image: ghcr.io/mastodon/mastodon:v4.6.5\n    env_file: .env.production\n    volumes: ["./public/system:/mastodon/public/system"]\n`).join('')}`
    const at = stage.machine(undefined, { 'docker-compose.yml': yaml })
    const services = fakeServices(at)
    const init = async () => {
      const { code, stdout } = await stage.initHere(at, args, { env: services.env })
      return { code, said: unwrapped(stdout) }
    }
    const restart = `cd ${at.dir} && docker compose up -d`
    expect((await init()).said).toContain(restart)
    const left = await init()
    expect(left.code).toBe(0)
    expect(left.said).not.toContain('All is set up already')
    expect(left.said).toContain(restart)
    expect(left.said).toContain('as it is: container live-web-1, container live-sidekiq-1.')
    execFileSync('docker', ['compose', 'up', '-d'], { cwd: at.dir, env: services.env })
    const done = await init()
    expect(done.said).toContain('All is set up already; nothing was changed.')
    expect(done.said).not.toContain(restart)
  })

  test('installed from source', async () => {
    const { host, bucket, args } = own('source')
    const version = ['major 4', 'minor 5', 'patch 1']
      .map((line) => `def ${line.replace(' ', '\n  ')}\nend\n`)
      .join('')
    const source = { 'lib/mastodon/version.rb': version, 'public/packs/manifest.json': '{}' }
    const at = stage.machine(undefined, source)
    const dir = ['--mastodon-dir', at.dir]
    const { code, stdout } = await stage.initHere(at, [...args, ...dir], { cwd: at.home })
    expect(code).toBe(0)
    expect(unwrapped(stdout)).toContain('Found Mastodon 4.5.1 with systemd for social.example.com')
    expect(stdout).toContain(`\n  ${SUDO}systemctl restart 'mastodon-sidekiq*' mastodon-web\n`)
    expect(settingsOf(at.read())).toMatchObject(storageLines(stage, { bucket, host }))
  })
})

describe.concurrent('init with media there already', () => {
  const media = { 'lib/mastodon/version.rb': '', 'public/system/accounts/1.png': 'png' }

  test('prepare writes everything, switched off', async () => {
    const { host, bucket, args } = own('prepared')
    const at = stage.machine(undefined, media)
    const { code, stdout } = await stage.initHere(at, [...args, '--existing-media', 'prepare'])
    expect(code).toBe(0)
    expect(unwrapped(stdout)).toMatch(
      /mastodon-r2\S* migrate [^\n]*--(mastodon-env|mastodon-dir) \//,
    )
    const wanted = storageLines(stage, { bucket, host, enabled: false })
    expect(settingsOf(at.read())).toMatchObject(wanted)
    const again = await stage.initHere(at, [...args, '--existing-media', 'switch'])
    expect(again.code).toBe(0)
    expect(settingsOf(at.read())).toMatchObject({ ...wanted, S3_ENABLED: 'true' })
  })

  const wasabi = `${LOCAL_DOMAIN}S3_ENABLED=true
S3_BUCKET=old
S3_ENDPOINT=https://s3.wasabisys.com
AWS_ACCESS_KEY_ID=WASABI0000000000
AWS_SECRET_ACCESS_KEY=old/secret
`

  test('at another provider: prepare puts the block aside', async () => {
    const { host, bucket, args } = own('aside')
    const at = stage.machine(wasabi)
    const { code, stdout } = await stage.initHere(at, [...args, '--existing-media', 'prepare'])
    expect(code).toBe(0)
    expect(unwrapped(stdout)).toContain(at.path(`${ENV}.r2`))
    expect(at.read()).toBe(wasabi)
    const wanted = storageLines(stage, { bucket, host, enabled: false })
    expect(settingsOf(at.read(`${ENV}.r2`))).toEqual(wanted)
    expect(statSync(at.path(`${ENV}.r2`)).mode & 0o777).toBe(0o600)
  })

  test('in another bucket on R2: prepare leaves the one in use alone', async () => {
    const { args } = own('in-use')
    const { host, bucket, args: next } = own('next')
    const at = stage.machine()
    expect((await stage.initHere(at, args)).code).toBe(0)
    const before = at.read()
    const [key] = keysOf(stage.sandbox, 'in-use-media')
    const hostless = await stage.initHere(at, [...next.slice(2), '--existing-media', 'prepare'])
    expect({ code: hostless.code, said: hostless.stdout }).toEqual({
      code: 2,
      said: expect.stringMatching(/One setting is missing[\s\S]*--media-host/),
    })
    const { code, stdout } = await stage.initHere(at, [...next, '--existing-media', 'prepare'])
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expect(at.read()).toBe(before)
    expect(settingsOf(before).S3_ENABLED).toBe('true')
    const wanted = storageLines(stage, { bucket, host, enabled: false })
    expect(settingsOf(at.read(`${ENV}.r2`))).toEqual(wanted)
    expect(unwrapped(stdout)).toMatch(/mastodon-r2\S* migrate [^\n]*--from s3/)
    expect(keysOf(stage.sandbox, 'in-use-media')).toEqual([key])
  })

  test('at another provider: switch replaces its lines', async () => {
    const { host, bucket, args } = own('switched')
    const at = stage.machine(wasabi)
    const { code } = await stage.initHere(at, [...args, '--existing-media', 'switch'])
    expect(code).toBe(0)
    expect(settingsOf(at.read())).toMatchObject(storageLines(stage, { bucket, host }))
    expect(at.read()).not.toContain('wasabi')
    expect(backups(at.dir).map((file) => at.read(file))).toEqual([wasabi])
  })
})

describe.concurrent('init elsewhere', () => {
  test('in the jurisdiction eu', async () => {
    const { host, bucket, args } = own('european')
    const at = stage.machine()
    const eu = ['--jurisdiction', 'eu', '--s3-endpoint-url', stage.sandbox.s3Url('eu')]
    const given = stage.environment(at)
    const route = ['--connect-to', stage.sandbox.connectTo[0] ?? '']
    const { code } = await run(['init', '--yes', ...args, ...eu, ...route], {
      cwd: at.dir,
      env: given,
    })
    expect(code).toBe(0)
    const { buckets } = stage.sandbox.world
    expect(buckets.find(({ name }) => name === bucket)?.jurisdiction).toBe('eu')
    expect(settingsOf(at.read())).toMatchObject(
      storageLines(stage, { bucket, host, jurisdiction: 'eu' }),
    )
  })

  test('an existing bucket is adopted, an existing key that works is kept', async () => {
    const { host, bucket, args } = own('adopted')
    const first = stage.machine()
    expect((await stage.initHere(first, args)).code).toBe(0)
    const known = first.read().replace(/^(S3_ALIAS_HOST|S3_PERMISSION)=.*\n/gm, '')
    const second = stage.machine(known)
    const { code, stdout } = await stage.initHere(second, args)
    expect(code).toBe(0)
    expect(stdout).toContain('the one in the env file works, and is kept')
    expect(stage.sandbox.world.buckets.filter(({ name }) => name === bucket)).toHaveLength(1)
    expect(settingsOf(second.read())).toMatchObject(storageLines(stage, { bucket, host }))
    expect(keysOf(stage.sandbox, bucket)).toHaveLength(1)
  })
})

function backups(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith('.bak'))
}
