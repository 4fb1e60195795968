import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { oldPlaces, settingsSoFar } from '../../src/redirects/old-places.ts'
import { prefixName } from '../../src/redirects/redirecting.ts'
import { readEnvFile } from '../../src/services/mastodon/env-read.ts'
import { installationOf } from '../fakes/fake-world.ts'

const hosts = { instanceHost: 'social.example.com', mediaHost: 'files.example.com' }
const R2 = {
  S3_ENABLED: 'true',
  S3_BUCKET: 'media',
  S3_ENDPOINT: 'https://a.r2.cloudflarestorage.com',
  S3_ALIAS_HOST: 'files.example.com',
}
const B2 = { S3_ENABLED: 'true', S3_BUCKET: 'my-media', S3_ENDPOINT: 'https://s3.us.example' }

type Lines = Readonly<Record<string, string>>

const settingsOf = (lines: Lines) =>
  new Map(Object.entries(lines).map(([name, value]) => [name, { value, from: 'file' }]))

function places(past: readonly Lines[], hasFiles = false, isBlock = false): string[] {
  const all = past.map((lines) => ({ settings: settingsOf(lines), isBlock }))
  return oldPlaces(all, hosts, { hasFiles }).map((place) => `${prefixName(place)} ${place.served}`)
}

describe('where media addresses pointed', () => {
  it.each<[string, readonly Lines[], readonly string[]]>([
    ['nothing tells', [R2], ['social.example.com/system/ files']],
    ['files of this machine', [R2, {}], ['social.example.com/system/ files']],
    [
      'an alias with a path',
      [R2, { ...B2, S3_ALIAS_HOST: 'cdn.other.example/file/my-media' }],
      ['cdn.other.example/file/my-media/ alias'],
    ],
    [
      'an alias with a scheme and a slash at its end, in capitals',
      [R2, { ...B2, S3_ALIAS_HOST: 'https://CDN.other.example/' }],
      ['cdn.other.example/ alias'],
    ],
    [
      'the older name of the alias',
      [R2, { ...B2, S3_CLOUDFRONT_HOST: 'd111.cloudfront.net' }],
      ['d111.cloudfront.net/ alias'],
    ],
    [
      'both names: the newer one wins',
      [R2, { ...B2, S3_CLOUDFRONT_HOST: 'd111.cloudfront.net', S3_ALIAS_HOST: 'cdn.example.com' }],
      ['cdn.example.com/ alias'],
    ],
    [
      'a host of its own in front of the bucket',
      [R2, { ...B2, S3_HOSTNAME: 'media.example.com' }],
      ['media.example.com/my-media/ alias'],
    ],
    [
      "the S3 endpoint's own host",
      [R2, { ...B2, S3_HOSTNAME: 's3.us.example' }],
      ['s3.us.example/my-media/ provider'],
    ],
    [
      'AWS by its region',
      [R2, { S3_ENABLED: 'true', S3_BUCKET: 'my-media', S3_REGION: 'eu-west-1' }],
      ['s3-eu-west-1.amazonaws.com/my-media/ provider'],
    ],
    [
      'a prefix of every key',
      [R2, { ...B2, S3_ALIAS_HOST: 'cdn.example.com', S3_KEY_PREFIX: '/masto/' }],
      ['cdn.example.com/masto/ alias'],
    ],
    [
      'a full address of local files',
      [{ ...R2, PAPERCLIP_ROOT_URL: 'https://media.social.example' }, {}],
      ['social.example.com/system/ files', 'media.social.example/ files'],
    ],
    [
      'a full address, and nothing older',
      [{ ...R2, PAPERCLIP_ROOT_URL: 'https://media.social.example' }],
      ['media.social.example/ files'],
    ],
    [
      'an address without its scheme',
      [R2, { PAPERCLIP_ROOT_URL: '//media.social.example/m' }],
      ['media.social.example/m/ files'],
    ],
    [
      'another path of the instance',
      [{ ...R2, PAPERCLIP_ROOT_URL: '/media/x/' }],
      ['social.example.com/media/x/ files'],
    ],
    [
      'a CDN in front of local files',
      [R2, { CDN_HOST: 'https://assets.example.com' }],
      ['social.example.com/system/ files', 'assets.example.com/system/ files'],
    ],
    [
      'Swift',
      [R2, { SWIFT_ENABLED: 'true', SWIFT_OBJECT_URL: 'https://sw.example/v1/c' }],
      ['sw.example/v1/c/ provider'],
    ],
    [
      'several places, the longest path first, each once',
      [
        R2,
        { ...B2, S3_ALIAS_HOST: 'cdn.example.com' },
        { ...B2, S3_ALIAS_HOST: 'cdn.example.com/file/my-media' },
        { ...B2, S3_ALIAS_HOST: 'cdn.example.com' },
        {},
      ],
      [
        'cdn.example.com/file/my-media/ alias',
        'social.example.com/system/ files',
        'cdn.example.com/ alias',
      ],
    ],
    [
      'below the media host itself',
      [R2, { ...B2, S3_ALIAS_HOST: 'files.example.com/file/my-media' }],
      ['files.example.com/file/my-media/ alias'],
    ],
    [
      'the media host as it is now',
      [{ ...R2, PAPERCLIP_ROOT_URL: 'https://files.example.com/' }],
      [],
    ],
    ['the whole instance is never one', [{ ...R2, PAPERCLIP_ROOT_URL: '/' }], []],
  ])('%s', (_, past, expected) => {
    expect(places(past)).toEqual(expected)
  })

  it('media on this machine was served from here, whatever the settings tell', () => {
    const past = [R2, { ...B2, S3_ALIAS_HOST: 'cdn.example.com' }]
    expect(places(past, true)).toEqual([
      'social.example.com/system/ files',
      'cdn.example.com/ alias',
    ])
  })

  it('a prepared block tells nothing of local files', () => {
    expect(places([{ S3_BUCKET: 'media' }], false, true)).toEqual([
      'social.example.com/system/ files',
    ])
  })
})

describe('settings so far', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-test-'))
    file = join(folder, '.env.production')
    writeFileSync(file, 'S3_ENABLED=true\nS3_ALIAS_HOST=files.example.com\n')
    backup(file, 1, 'one.example.com')
  })
  afterEach(() => rm(folder, { recursive: true }))
  const backup = (of: string, hour: number, alias: string) =>
    writeFileSync(
      `${of}.mastodon-r2-2026110${hour}T100000Z.bak`,
      `S3_ENABLED=true\nS3_ALIAS_HOST=${alias}\n`,
    )

  it('of the file, the block beside it, and the backups of both', async () => {
    writeFileSync(`${file}.r2`, 'S3_ENABLED=false\nS3_ALIAS_HOST=prepared.example.com\n')
    backup(file, 2, 'two.example.com')
    backup(`${file}.r2`, 3, 'three.example.com')
    const envFile = await readEnvFile(file)
    const settings = settingsOf(R2)
    const told: string[] = []
    const warn = (text: unknown) => void told.push(String(text))
    const past = await settingsSoFar(installationOf({ envFile, settings }), { warn })
    const hosts = past.map(({ settings, isBlock }) => {
      return `${settings.get('S3_ALIAS_HOST')?.value}${isBlock ? ' (block)' : ''}`
    })
    expect(hosts).toEqual([
      'files.example.com',
      'prepared.example.com (block)',
      'three.example.com (block)',
      'two.example.com',
      'one.example.com',
    ])
    expect(told).toEqual([])
  })

  it('a backup that can not be read is told of, and the others count', async () => {
    writeFileSync(`${file}.mastodon-r2-20261105T100000Z.bak`, Buffer.from([0x41, 0, 0x42]))
    const told: string[] = []
    const warn = (text: unknown) => void told.push(String(text))
    const envFile = await readEnvFile(file)
    const past = await settingsSoFar(installationOf({ envFile }), { warn })
    expect(past.length).toBe(2)
    expect(told).toEqual([expect.stringContaining('An old place that only')])
  })
})
