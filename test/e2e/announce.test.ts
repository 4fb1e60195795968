import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { reportSchema } from '../../src/plan/report-schema.ts'
import { ENV } from './machine.ts'
import { openMigratingServer } from './migrating-server.ts'
import { HOST } from './stage.ts'
import { settingsOf } from './storage-lines.ts'

const server = await openMigratingServer({ media: 4 })
const { stage, at, env } = server
afterAll(() => server.close())

const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
const flat = (text: string) => text.replaceAll(/\s+/g, ' ')
const init = (args: readonly string[]) => stage.init(at, ['init', '--yes', ...args], { env })

async function checked() {
  const { stdout } = await stage.initHere(at, ['check', '--json', '--quick'], { env })
  const { checks } = reportSchema.parse(JSON.parse(stdout))
  return checks.filter(({ id, severity }) => id === 'announcement' && severity !== 'ok')
}

const reloads = () => server.calls().filter((line) => line.includes('reload-or-restart')).length

describe('a server', () => {
  beforeEach(() => server.anew())

  test('media on the disk: prepared, named by the pages, noted; migrate and check know', async () => {
    expect(await checked()).toEqual([])
    const before = reloads()
    const { code, stdout, stderr } = await init(['--media-host', HOST, '--announce'])
    expect(code, stdout + stderr).toBe(0)
    expect(flat(stdout)).toContain(`a switch is safe from ${day(7)}`)
    expect(settingsOf(at.read())).toMatchObject({ S3_ENABLED: 'false', S3_ALIAS_HOST: HOST })
    expect(reloads() - before).toBeLessThanOrEqual(1)
    const [verdict] = await checked()
    expect(verdict).toMatchObject({
      severity: 'note',
      saw: `${HOST} is announced since ${day(0)}; a switch is safe from ${day(7)}.`,
      next: expect.stringContaining(`On ${day(7)} or later: npx mastodon-r2 migrate --`),
    })
    const stages = await server.migrate(['--stage', 'announce', '--yes'])
    expect(flat(stages.stdout)).toContain(`a switch is safe from ${day(7)}`)
    const again = await init(['--media-host', HOST, '--announce'])
    expect(again.stdout).toContain('All is set up already; nothing was changed.')
  })

  test('from nothing: the block is written first, then the web part is reloaded', async () => {
    at.write(ENV, 'LOCAL_DOMAIN=social.example.com\nDB_HOST=db\n')
    const reloaded = reloads()
    const other = 'other.example.com'
    const { code, stdout, stderr } = await init([
      ...['--media-host', other, '--bucket', 'other-media', '--announce'],
    ])
    expect(code, stdout + stderr).toBe(0)
    expect(settingsOf(at.read())).toMatchObject({ S3_ENABLED: 'false', S3_ALIAS_HOST: other })
    expect(at.read()).toContain('DB_HOST=db')
    expect(reloads()).toBe(reloaded + 1)
    expect((await checked())[0]?.saw).toContain(`${other} is announced`)
  })

  test('another host for a server that is on R2: the storage stays, the host is named', async () => {
    const on = at.read().replace('S3_ENABLED=false', 'S3_ENABLED=true')
    at.write(ENV, on)
    const same = await init(['--announce'])
    expect(same.code).toBe(2)
    expect(same.stderr + same.stdout).toContain('there is nothing to announce')
    const { code, stdout, stderr } = await init(['--media-host', 'media.example.com', '--announce'])
    expect(code, stdout + stderr).toBe(0)
    expect(flat(stdout)).toContain(
      'media.example.com is ready; Mastodon still uses the host it did.',
    )
    expect(settingsOf(at.read())).toEqual({
      ...settingsOf(on),
      EXTRA_MEDIA_HOSTS: 'https://media.example.com',
    })
    expect(await checked()).toMatchObject([
      {
        next: expect.stringMatching(
          /^On \S+ or later: npx mastodon-r2 init .*--media-host media\.example\.com$/,
        ),
      },
    ])
    const then = await init(['--media-host', 'media.example.com'])
    expect(then.code, then.stdout + then.stderr).toBe(0)
    expect(settingsOf(at.read()).S3_ALIAS_HOST).toBe('media.example.com')
    expect(await checked()).toEqual([])
  })
})

test.each([
  { flag: '--print', why: 'the announcement stands in the env file' },
  { flag: '--sandbox', why: "Mastodon's own pages are not part of a rehearsal" },
  { flag: '--existing-media=switch', why: 'what is announced is switched a week later' },
])('--announce and $flag contradict each other', async ({ flag, why }) => {
  const machine = stage.machine(undefined, { 'public/system/a.png': 'a' })
  const before = machine.files()
  const args = ['init', '--yes', '--media-host', HOST, '--announce', flag]
  const { code, stdout, stderr } = await stage.initHere(machine, args, { env })
  expect(code).toBe(2)
  expect(flat(stdout + stderr)).toContain("can't both be meant")
  expect(flat(stdout + stderr)).toContain(why)
  expect(machine.files()).toEqual(before)
})
