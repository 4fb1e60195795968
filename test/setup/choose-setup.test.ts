import { describe, expect, it } from 'vitest'
import { remember } from '../../src/flow/mastodon-here.ts'
import type { BootstrapToken } from '../../src/services/cloudflare/port.ts'
import type { EnvFileOnDisk, Installation, LocalMedia } from '../../src/services/mastodon/port.ts'
import { catalog } from '../../src/settings/catalog.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { chooseSetup } from '../../src/setup/choose.ts'
import { hasMedia, mediaWords } from '../../src/setup/existing-media.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { FakeCloudflare } from '../fakes/fake-cloudflare.ts'
import {
  ACCOUNT,
  ENV,
  envFileOf,
  HOST,
  installationOf,
  setupOf,
  tokenOf,
} from '../fakes/fake-world.ts'
import { problemOf } from '../fakes/found.ts'
import { Screen } from '../ui/terminal.ts'

const R2 = `https://${ACCOUNT}.r2.cloudflarestorage.com`
const [id, secret] = ['1'.repeat(32), '2'.repeat(64)]
const ours = [
  'S3_ENABLED=true',
  'S3_BUCKET=example-media',
  `S3_ENDPOINT=${R2}`,
  `AWS_ACCESS_KEY_ID=${id}`,
  `AWS_SECRET_ACCESS_KEY=${secret}`,
]
const theirs = ['S3_ENABLED=true', 'S3_BUCKET=old', 'S3_ENDPOINT=https://s3.example.net']

function mastodonWith(lines: string[], more: Partial<EnvFileOnDisk> = {}): Installation {
  const file = envFileOf(`${lines.join('\n')}\n`, more)
  const settings = new Map(
    lines.map((line) => {
      const [name = '', value = ''] = line.split('=')
      return [name, { value, from: ENV }] as const
    }),
  )
  return installationOf({ envFile: file, envFiles: [file], settings })
}

interface Situation {
  readonly installation?: Installation
  readonly flags?: Record<string, string | true>
  readonly token?: BootstrapToken
  readonly beside?: EnvFileOnDisk
  readonly canAsk?: boolean
  readonly lookOnly?: boolean
  readonly denied?: FakeCloudflare['denied']
}

async function chosen(situation: Situation) {
  const { installation = installationOf(), flags = {}, lookOnly = false } = situation
  const screen = new Screen()
  const ui = plainUi({ words: screen, stdout: screen, stderr: screen, quiet: false })
  const cloudflare = new FakeCloudflare()
  cloudflare.accounts = [{ id: ACCOUNT, name: 'Ours' }]
  cloudflare.zones = [setupOf().zone]
  cloudflare.denied = situation.denied ?? []
  const settings = await Settings.resolve(catalog, {
    flags: new Map(Object.entries({ mediaHost: HOST, ...flags })),
    environment: {},
    answers: new Map(),
    readFile: () => Promise.reject(new Error('read')),
  })
  return chooseSetup({
    settings,
    ui: { ...ui, canAsk: situation.canAsk ?? false },
    installation,
    remembered: remember(installation),
    cloudflare,
    token: tokenOf(situation.token),
    lookOnly,
    readEnvFile: async (path) => situation.beside ?? envFileOf('', { path, exists: false }),
  })
}

describe('the setup chosen', () => {
  it('from the fewest answers', async () => {
    expect(await chosen({})).toMatchObject({
      at: {
        accountId: ACCOUNT,
        bucket: expect.stringContaining('example'),
        jurisdiction: 'default',
      },
      mediaHost: HOST,
      zone: { name: 'example.com' },
      corsOrigins: ['*'],
      allowIps: [],
      s3Endpoint: R2,
      storage: 'switch',
      target: { kind: 'file', file: { path: ENV } },
      owner: { kind: 'account', accountId: ACCOUNT },
      knownKey: undefined,
    })
  })

  it.each<[string, Situation, string | undefined]>([
    [
      'for this bucket',
      { installation: mastodonWith(ours), flags: { bucket: 'example-media' } },
      id,
    ],
    [
      'for another bucket',
      { installation: mastodonWith(ours), flags: { bucket: 'another', existingMedia: 'switch' } },
      undefined,
    ],
    [
      'in the block prepared beside another provider',
      {
        installation: mastodonWith(theirs),
        flags: { bucket: 'example-media', existingMedia: 'prepare' },
        beside: envFileOf(`${ours.join('\n')}\n`, { path: `${ENV}.r2` }),
      },
      id,
    ],
    [
      'beside, for another bucket',
      {
        installation: mastodonWith(theirs),
        flags: { bucket: 'another', existingMedia: 'prepare' },
        beside: envFileOf(`${ours.join('\n')}\n`, { path: `${ENV}.r2` }),
      },
      undefined,
    ],
    [
      'to be printed',
      { installation: mastodonWith(theirs), flags: { print: true, existingMedia: 'switch' } },
      undefined,
    ],
  ])('the key known: %s', async (_, situation, expected) => {
    expect((await chosen(situation)).knownKey?.accessKeyId).toBe(expected)
  })

  it.each<[string, Situation, string]>([
    ['the env file', {}, ENV],
    [
      'beside another provider',
      { installation: mastodonWith(theirs), flags: { existingMedia: 'prepare' } },
      `${ENV}.r2`,
    ],
    [
      'beside Swift, whose host the pages would no longer name',
      {
        installation: mastodonWith(['SWIFT_ENABLED=true']),
        flags: { existingMedia: 'prepare' },
      },
      `${ENV}.r2`,
    ],
    [
      'beside another bucket on R2',
      {
        installation: mastodonWith(ours),
        flags: { bucket: 'another', existingMedia: 'prepare' },
      },
      `${ENV}.r2`,
    ],
    [
      'the env file, when the bucket in use gets another host',
      { installation: mastodonWith(ours), flags: { bucket: 'another', announce: true } },
      ENV,
    ],
    [
      'in place of another provider',
      { installation: mastodonWith(theirs), flags: { existingMedia: 'switch' } },
      ENV,
    ],
    ['printed', { flags: { print: true } }, `printed for ${ENV}`],
    [
      'printed, for the place beside another provider',
      { installation: mastodonWith(theirs), flags: { existingMedia: 'prepare', print: true } },
      `printed for ${ENV}.r2`,
    ],
    [
      'printed for a person who may not write',
      { installation: mastodonWith([], { writable: false }), canAsk: true },
      `printed for ${ENV}`,
    ],
    [
      'only looked at, so it need not be writable',
      { installation: mastodonWith([], { writable: false }), lookOnly: true },
      ENV,
    ],
  ])('the block goes to: %s', async (_, situation, expected) => {
    const { target } = await chosen(situation)
    expect(target.kind === 'file' ? target.file.path : `printed for ${target.path}`).toBe(expected)
  })

  it.each<[string, Situation, 'switch' | 'prepare']>([
    ['nothing said, no media seen', {}, 'switch'],
    ['prepare, no media seen', { flags: { existingMedia: 'prepare' } }, 'prepare'],
    ['switch, no media seen', { flags: { existingMedia: 'switch' } }, 'switch'],
    [
      'prepare, what is prepared already',
      {
        installation: mastodonWith(['S3_ENABLED=false', ...ours.slice(1)]),
        flags: { bucket: 'example-media', existingMedia: 'prepare' },
      },
      'prepare',
    ],
  ])('the word about existing media is obeyed: %s', async (_, situation, storage) => {
    expect((await chosen(situation)).storage).toBe(storage)
  })

  it('prepare is refused where that bucket is in use', async () => {
    const flags = { bucket: 'example-media', existingMedia: 'prepare' }
    const problem = await problemOf(chosen({ installation: mastodonWith(ours), flags }))
    expect([problem.code, problem.exit]).toEqual(['switched-already', 2])
  })

  it('not writable and nobody there: said before a key is made', async () => {
    const installation = mastodonWith([], { writable: false })
    expect((await problemOf(chosen({ installation }))).code).toBe('env-file-not-writable')
  })

  const user: BootstrapToken = { id: 'b'.repeat(32), kind: 'user', status: 'active' }
  it.each<[string, Situation, string]>([
    ['a token of the account', {}, 'account'],
    ['a token of a user who may', { token: user }, 'account'],
    ['a token of a user who may not', { token: user, denied: ['account-tokens'] }, 'user'],
    [
      'a token that may neither',
      { token: user, denied: ['account-tokens', 'user-tokens'] },
      'account',
    ],
    ['as wished', { token: user, flags: { tokenKind: 'user' } }, 'user'],
  ])('the key’s owner: %s', async (_, situation, kind) => {
    expect((await chosen(situation)).owner.kind).toBe(kind)
  })

  it('an account’s token can’t make a user’s key', async () => {
    const problem = await problemOf(chosen({ flags: { tokenKind: 'user' } }))
    expect([problem.code, problem.exit]).toEqual(['token-kind-impossible', 2])
  })
})

describe('media that a switch would hide', () => {
  const media = (more: Partial<LocalMedia>) => ({
    root: '/live/public/system',
    files: 0,
    more: false,
    readable: true,
    ...more,
  })

  it.each<[string, string[], Partial<LocalMedia>, boolean, RegExp]>([
    ['none', [], {}, false, /0 files/],
    ['some', [], { files: 3 }, true, /3 files in \/live\/public\/system/],
    ['many', [], { files: 1000, more: true }, true, /more than 1,000 files/],
    ['unreadable', [], { readable: false }, true, /can't be read/],
    ['at another provider', theirs, {}, true, /another S3 provider/],
    ['at Swift', ['SWIFT_ENABLED=true', 'SWIFT_CONTAINER=old'], {}, true, /Swift .*old.*rclone/],
    ['at Azure', ['AZURE_ENABLED=true'], {}, true, /Azure .*azureblob/],
    ['at Swift, R2 prepared', ['SWIFT_ENABLED=true', 'S3_ENABLED=false'], {}, true, /Swift/],
    ['not exactly true', ['SWIFT_ENABLED=TRUE', 'AZURE_ENABLED=1'], {}, false, /0 files/],
    ['S3 comes first', ['SWIFT_ENABLED=true', ...ours], { files: 3 }, false, /in the bucket/],
    ['R2 is in use', ours, { files: 3 }, false, /in the bucket/],
    ['R2 is prepared', ['S3_ENABLED=false', ...ours.slice(1)], { files: 3 }, true, /3 files/],
  ])('%s', (_, lines, local, expected, words) => {
    const installation = { ...mastodonWith(lines), media: media(local) }
    const remembered = remember(installation)
    expect(hasMedia(installation, remembered, remembered.bucket)).toBe(expected)
    expect(mediaWords(installation, remembered)).toMatch(words)
  })

  it('in another bucket than the one to be used', () => {
    const installation = { ...mastodonWith(ours), media: media({}) }
    expect(hasMedia(installation, remember(installation), 'another-bucket')).toBe(true)
  })
})
