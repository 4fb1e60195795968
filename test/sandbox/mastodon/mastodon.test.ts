import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Mastodon, MastodonOptions } from '../../../src/sandbox/mastodon/mastodon.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { findMastodon } from '../../../src/services/mastodon/find.ts'
import type { Installation } from '../../../src/services/mastodon/port.ts'
import { connectProcesses } from '../../../src/services/mastodon/processes.ts'
import { connectServices } from '../../../src/services/mastodon/service-control.ts'
import { connectTootctl } from '../../../src/services/mastodon/tootctl.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'
import { bucketWithKey, call, calls, objectsOf, switchOn, until, uploads } from './running.ts'
import { visitInstance } from './visit-instance.ts'

let sandbox: Sandbox | undefined
afterEach(() => sandbox?.close())

async function open(options: Partial<MastodonOptions> = {}) {
  const mastodon = { media: 30, bootMs: 20, node: process.execPath, ...options }
  sandbox = await startSandbox({
    domainMs: 0,
    keyMs: 0,
    emulator: 'eager',
    mastodon,
    startEmulator: lendEmulator,
  })
  if (!sandbox.mastodon) throw new Error('There is no Mastodon.')
  return { sandbox, mastodon: sandbox.mastodon }
}

const find = ({ dir }: Mastodon) => findMastodon({ cwd: '/', mastodonDir: dir, environment: {} })
const ask = () => Promise.reject(new Error('Nobody asks Docker here.'))
const now = () => new Date()
const role = (mastodon: Mastodon, by: string) => uploads(mastodon).filter((one) => one.by === by)
const serves = async (sandbox: Sandbox) => (await visitInstance(sandbox, '/')).status === 200

async function served(at: Sandbox): Promise<void> {
  for (let tries = 0; !(await serves(at)); tries++) expect(tries).toBeLessThan(500)
}

/** A worker that begins after the switch would store in the bucket, as it should. */
async function allWorkersBegan(mastodon: Mastodon): Promise<void> {
  const installation = (await find(mastodon)) as Installation
  const looks = connectProcesses({ installation, ask, now })
  const workers = async () =>
    (await looks.running())?.find((one) => one.role === 'web')?.below?.workers
  await expect.poll(workers, { timeout: 10_000 }).toBe(2)
}

describe('the product finds in it', () => {
  test('a Mastodon run from source, with its media, processes and services', async () => {
    const { sandbox, mastodon } = await open()
    await served(sandbox)
    await allWorkersBegan(mastodon)
    const installation = await find(mastodon)
    expect(installation).toMatchObject({
      kind: 'systemd',
      version: '4.5.2',
      localDomain: 'social.example.com',
      media: { root: join(mastodon.dir, 'public/system'), readable: true },
    })
    const running = await connectProcesses({ installation, ask, now }).running()
    expect(running?.map((one) => [one.role, one.below?.workers])).toEqual(
      expect.arrayContaining([
        ['web', 2],
        ['sidekiq', undefined],
      ]),
    )
    expect(running?.length).toBe(2)
    const services = connectServices({ installation, asRoot: true, ask, now })
    expect(await services.sidekiq()).toEqual([{ busy: 0, quiet: false }])
  })

  test('commands that do what they are for', async () => {
    const { sandbox, mastodon } = await open()
    await served(sandbox)
    const installation = await find(mastodon)
    const { commands, sidekiq } = connectServices({ installation, asRoot: false, ask, now })
    const run = async (name: 'quiet' | 'stop' | 'start' | 'wake') => {
      for (const { command } of commands?.[name] ?? []) {
        const ended = await call(mastodon, [command.program, ...command.args].join(' '))
        expect(ended).toEqual({ code: 0, stdout: '', stderr: '' })
      }
    }
    await run('quiet')
    await expect.poll(sidekiq, { timeout: 10_000 }).toEqual([{ busy: 0, quiet: true }])
    await run('wake')
    await expect.poll(sidekiq, { timeout: 10_000 }).toEqual([{ busy: 0, quiet: false }])
    await run('stop')
    expect(await sidekiq()).toEqual([])
    expect((await visitInstance(sandbox, '/')).status).toBe(502)
    await run('start')
    await served(sandbox)
    const asked = calls(mastodon).map(({ program, args }) => [program, ...args].join(' '))
    expect(asked[0]).toBe('systemctl kill -s TSTP --kill-who=main mastodon-sidekiq*')
    expect(asked.length).toBe(4)
  })

  test('a tootctl', async () => {
    const { mastodon } = await open({ media: 200 })
    const installation = (await find(mastodon)) as Installation
    const placed = connectTootctl(installation, { asRoot: true }).command(['media', 'usage'])
    expect(placed?.cwd).toBe(mastodon.dir)
    const { code, stdout } = await call(mastodon, 'bin/tootctl media usage')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^Object +Total +Local\nAttachments +[\d.]+ MB +[\d.]+ MB\nCustom Emoji /,
    )
    expect(calls(mastodon)).toMatchObject([
      {
        program: 'tootctl',
        args: ['media', 'usage'],
        cwd: mastodon.dir,
        env: { RAILS_ENV: 'production' },
      },
    ])
    expect(readFileSync(mastodon.calls, 'utf8')).not.toContain('PATH')
  })
})

describe('uploads', () => {
  test('go to the disk, and after the switch and a restart to the bucket', async () => {
    const { sandbox, mastodon } = await open({ uploadsPerSecond: 40 })
    const key = bucketWithKey(sandbox)
    await allWorkersBegan(mastodon)
    const early = uploads(mastodon).length
    await until('both parts have uploaded', () =>
      ['web', 'sidekiq'].every((by) =>
        uploads(mastodon)
          .slice(early)
          .some((one) => one.by === by),
      ),
    )
    switchOn(mastodon, sandbox, key)
    const before = uploads(mastodon).length
    await until('more came to the disk', () => uploads(mastodon).length > before + 4)
    expect(uploads(mastodon).filter(({ where }) => where === 'bucket')).toEqual([])

    await call(mastodon, 'systemctl restart mastodon-sidekiq')
    await until('sidekiq uploads to the bucket', () =>
      role(mastodon, 'sidekiq').some(({ where }) => where === 'bucket'),
    )
    expect(role(mastodon, 'web').at(-1)?.where).toBe('disk')
    await call(mastodon, 'systemctl reload mastodon-web')
    await until('web does, too', () => role(mastodon, 'web').at(-1)?.where === 'bucket')
    await call(mastodon, 'systemctl stop mastodon-web mastodon-sidekiq')

    const all = uploads(mastodon)
    expect(all.filter(({ error }) => error !== undefined)).toEqual([])
    const onDisk = all.filter(({ where }) => where === 'disk')
    const lost = onDisk.filter(({ key: name }) => {
      return !existsSync(join(mastodon.dir, 'public/system', name))
    })
    expect(lost).toEqual([])
    const stored = await objectsOf(sandbox, key)
    const there = all.filter(({ where }) => where === 'bucket')
    expect(stored).toEqual(new Map(there.map((one) => [one.key, one.md5])))
  })

  test('of a Sidekiq that rests stop, those of the web part go on', async () => {
    const { mastodon } = await open({ uploadsPerSecond: 40 })
    await until('sidekiq has uploaded', () => role(mastodon, 'sidekiq').length > 0)
    await call(mastodon, 'systemctl kill -s TSTP --kill-who=main mastodon-sidekiq*')
    const installation = await find(mastodon)
    const { sidekiq: seen } = connectServices({ installation, asRoot: true, ask, now })
    await expect.poll(seen, { timeout: 10_000 }).toEqual([{ busy: 0, quiet: true }])
    const [sidekiq, web] = ['sidekiq', 'web'].map((by) => role(mastodon, by).length)
    await until('web goes on', () => role(mastodon, 'web').length > (web ?? 0) + 5)
    expect(role(mastodon, 'sidekiq').length).toBe(sidekiq)
  })

  test('that the bucket refuses are noted with the reason', async () => {
    const { sandbox, mastodon } = await open({ uploadsPerSecond: 40 })
    const key = bucketWithKey(sandbox)
    key.token.status = 'disabled'
    switchOn(mastodon, sandbox, key)
    await call(mastodon, 'systemctl restart mastodon-sidekiq')
    await until('one was refused', () => uploads(mastodon).some(({ error }) => error))
    const refused = uploads(mastodon).find(({ error }) => error)
    expect(refused).toMatchObject({ where: 'bucket', error: '401 Unauthorized' })
    expect(readFileSync(mastodon.uploads, 'utf8')).not.toContain(key.credentials.secretAccessKey)
  })
})

test('nothing of it is left when the sandbox closes', async () => {
  const { sandbox, mastodon } = await open()
  await served(sandbox)
  const installation = await find(mastodon)
  await sandbox.close()
  expect(existsSync(mastodon.dir)).toBe(false)
  expect(await connectProcesses({ installation, ask, now }).running()).toEqual([])
})
