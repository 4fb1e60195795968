import { describe, expect, test } from 'vitest'
import { renderText, toType } from '../../src/core/to-type.ts'
import { diskDestination } from '../../src/leave/disk.ts'
import { mediaThere } from '../../src/leave/known-there.ts'
import type { Leaving } from '../../src/leave/leaving.ts'
import { readyToSwitch } from '../../src/leave/ready.ts'
import type { SidekiqProcess } from '../../src/services/mastodon/port.ts'
import { newProvider } from '../../src/setup/new-provider.ts'
import { HOST, installationOf, worldOf } from '../fakes/fake-world.ts'
import { warningsOf } from '../fakes/found.ts'
import { onDisk } from '../redirects/redirecting-world.ts'

const KEY = 'accounts/avatars/1/original/a.png'
const provider = newProvider(
  new Map(
    Object.entries({
      S3_BUCKET: 'next',
      S3_ENDPOINT: 'https://s3.example.net',
      S3_ALIAS_HOST: 'media.example.org',
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
    }),
  ),
  'next.env',
)

interface Situation {
  readonly version?: string
  readonly settings?: Readonly<Record<string, string>>
  readonly isSwitched?: boolean
  readonly files?: readonly string[]
  readonly commands?: object | undefined
  readonly sidekiq?: readonly SidekiqProcess[]
}

function stand(situation: Situation = {}) {
  const { version = '4.6.5', settings = {}, isSwitched = false, files = [KEY] } = situation
  const values = Object.entries({ S3_ALIAS_HOST: HOST, ...settings })
  const installation = installationOf({
    version,
    settings: new Map(values.map(([name, value]) => [name, { value, from: 'env' }])),
  })
  const world = worldOf()
  world.s3.objects.set(KEY, {
    body: Buffer.from('abc'),
    contentType: 'image/png',
    cacheControl: '',
  })
  const leaving = {
    bucket: () => world.s3,
    there: { source: onDisk(files), words: { on: 'on the disk' } },
    installation,
    isSwitched,
    rclone: { version: async () => '1.60.1' },
    hidden: async () => new Set(),
    signal: new AbortController().signal,
    lineFor: (stage: 'copy') => toType('leave', { stage, mediaDir: '/srv/media' }),
  } as unknown as Leaving
  const commands = 'commands' in situation ? situation.commands : {}
  const services = { commands, sidekiq: async () => situation.sidekiq }
  const switching = { services } as unknown as Parameters<typeof readyToSwitch>[1]
  return {
    world,
    leaving,
    look: (to?: typeof provider) => readyToSwitch(leaving, switching, to).look(world),
  }
}

describe('before the switch', () => {
  test('how Mastodon is started has to be known', async () => {
    const problem = { code: 'cutover-by-hand', exit: 2 }
    expect(await stand({ commands: undefined }).look()).toMatchObject({ is: 'blocked', problem })
  })

  test.each([
    ['nothing is on the disk', { files: [] }, 'Switched now'],
    ['the web server gives none of it', {}, 'Switched now'],
    ['it was switched before', { isSwitched: true }, 'As its settings name the disk already'],
  ])('the disk has to be served: %s', async (_, situation, words) => {
    const { world, look } = stand(situation)
    world.web.alter = () => ({ status: 404, headers: [], body: new Uint8Array() })
    const finding = await look()
    expect(finding).toMatchObject({ is: 'blocked', problem: { code: 'disk-not-served' } })
    const { why, next } = (finding as unknown as { problem: { why: string; next: string } }).problem
    expect(why).toContain(words)
    expect(renderText(next)).toContain('leave --stage copy --media-dir /srv/media')
  })
})

describe('the new host has to be announced', () => {
  test.each<[string, Situation, string | undefined]>([
    ['it was not', {}, 'add https://media.example.org to EXTRA_MEDIA_HOSTS'],
    [
      'it was',
      { settings: { EXTRA_MEDIA_HOSTS: 'https://a.example, https://media.example.org/' } },
      undefined,
    ],
    [
      'another one with such a beginning was',
      { settings: { EXTRA_MEDIA_HOSTS: 'https://media.example.org.example' } },
      'was not announced',
    ],
    [
      'it is the media host of now',
      { settings: { S3_ALIAS_HOST: 'media.example.org' } },
      undefined,
    ],
    ['it is switched', { isSwitched: true }, undefined],
    [
      'a Mastodon that knows one host only',
      { version: '4.3.8' },
      'can not be announced: for up to 7 days',
    ],
  ])('%s', async (_, situation, words) => {
    const warnings = warningsOf(await stand(situation).look(provider))
    expect(warnings).toEqual(words === undefined ? [] : [expect.stringContaining(words)])
  })
})

test.each([
  ['rests', [{ busy: 0, quiet: true }], 'Sidekiq rests already', 'wake it'],
  ['does not run', [], 'No Sidekiq of this Mastodon is seen', 'start both'],
])('a Sidekiq that %s since a run that was cut off is told', async (_, sidekiq, words, line) => {
  const settings = { EXTRA_MEDIA_HOSTS: 'https://media.example.org' }
  const [wake, start] = ['wake it', 'start both'].map((line) => [{ line }])
  const finding = await stand({ settings, sidekiq, commands: { wake, start } }).look(provider)
  const [warning] = warningsOf(finding)
  expect(warning).toContain(words)
  expect(warning).toMatch(new RegExp(`: ${line}$`))
})

test('a redirect is made once a file was seen on both sides: none is there', async () => {
  const { world, leaving } = stand({ files: ['accounts/avatars/2/original/b.png'] })
  const problem = await mediaThere(leaving, 'social.example.com/system').fault(world)
  expect(problem).toMatchObject({ code: 'no-media-on-both-sides', exit: 1 })
})

test.each([
  ['sync can not be told of one file system', [1, 0], undefined],
  ['sync fails', [1, 1], 'disk-not-settled'],
])('what was fetched is seen to its place: %s', async (_, codes, expected) => {
  const left = [...codes]
  const runner = { run: async () => ({ exitCode: left.shift() ?? 0, stdout: '', stderr: '' }) }
  const folder = { from: {}, landing: { folder: '/media' } } as unknown as Parameters<
    typeof diskDestination
  >[0]
  const code = await diskDestination(folder, runner)
    .settle()
    .then(
      () => undefined,
      (error: { code: string }) => error.code,
    )
  expect(code).toBe(expected)
})
