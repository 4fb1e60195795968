import { describe, expect, it, test } from 'vitest'
import { search } from './machine.ts'

describe('with Docker Compose', () => {
  const compose = (...lines: string[]) =>
    `services:\n  web:\n    image: ghcr.io/mastodon/mastodon:v4.5.2\n${lines.map((line) => `    ${line}\n`).join('')}`
  const docker = (lines: string[], files: Record<string, string> = {}) =>
    search({ 'opt/mastodon/docker-compose.yml': compose(...lines), ...files })

  it('tells all of it', async () => {
    const { found, dir, envFile, from, value, mediaRoot } = await docker(
      ['env_file: .env.production', 'volumes:', '  - ./public/system:/mastodon/public/system'],
      {
        'opt/mastodon/.env.production': 'LOCAL_DOMAIN=social.example\nS3_ALIAS_HOST=a#b\n',
        'opt/mastodon/public/system/1.png': '',
      },
    )
    expect(found).toMatchObject({
      kind: 'docker',
      version: '4.5.2',
      localDomain: 'social.example',
      media: { files: 1 },
      units: { web: [], sidekiq: [] },
    })
    expect(found.composeFile).toMatch(/opt\/mastodon\/docker-compose\.yml$/)
    expect([dir, envFile, mediaRoot]).toEqual([
      'opt/mastodon',
      'opt/mastodon/.env.production',
      'opt/mastodon/public/system',
    ])
    expect([value('S3_ALIAS_HOST'), from('S3_ALIAS_HOST')]).toEqual(['a#b', envFile])
  })

  it('environment wins, then the later file, then mounted files', async () => {
    const { value, from, envFiles, envFile } = await docker(
      [
        'env_file: [one.env, two.env, none.env]',
        'environment: {A: compose, SHELL_ONE: }',
        'volumes: ["./mounted:/opt/mastodon/.env.production:ro"]',
      ],
      {
        'opt/mastodon/one.env': 'A=1\nB=1\nC=1\nINHERITED\nX="a\\nb"\nY=a\\nb\n',
        'opt/mastodon/two.env': 'A=2\nB=2\n',
        'opt/mastodon/mounted': 'C=3\nD=3\n',
      },
    )
    expect([...'ABCD'].map(value)).toEqual(['compose', '2', '1', '3'])
    expect(from('A')).toBe('opt/mastodon/docker-compose.yml')
    expect(value('INHERITED')).toBeUndefined()
    expect([value('X'), value('Y')]).toEqual(['a\nb', 'a\\nb'])
    expect(envFiles.map((path) => path?.split('/').at(-1))).toEqual([
      'two.env',
      'one.env',
      'mounted',
    ])
    expect(envFile).toBe('opt/mastodon/mounted')
  })

  it('a raw file is taken as it is', async () => {
    const lines = ['env_file:', '  - path: raw.env', '    format: raw']
    const { value } = await docker(lines, { 'opt/mastodon/raw.env': "A='x' # y\n#B=1\n" })
    expect([value('A'), value('B')]).toEqual(["'x' # y", undefined])
  })

  test.each<[volume: string, root: string | undefined, readable: boolean]>([
    ['./data:/opt/mastodon/public', 'opt/mastodon/data/system', true],
    ['media:/mastodon/public/system', undefined, false],
    ['./other:/mastodon/log', undefined, false],
  ])('media mounted as %s', async (volume, root, readable) => {
    const { found, mediaRoot } = await docker([`volumes: ["${volume}"]`])
    expect([mediaRoot, found.media.readable]).toEqual([root, readable])
  })
})

describe('media that can’t be looked at', () => {
  const hiddenOf = async (image: string, ...lines: string[]) => {
    const text = `services:\n  web:\n    image: ${image}\n${lines.map((line) => `    ${line}\n`).join('')}`
    const { found, mediaRoot } = await search({ 'opt/mastodon/docker-compose.yml': text })
    return mediaRoot ?? found.media.hidden
  }
  const own = 'ghcr.io/mastodon/mastodon:v4.6.5'
  const theirs = 'lscr.io/linuxserver/mastodon:latest'
  const inside = { path: '/opt/mastodon/public/system', service: 'web', volume: undefined }

  test.each<[what: string, image: string, lines: string[], expected: unknown]>([
    ['no volume', own, [], inside],
    ['a wrong place', own, ['volumes: ["./public/system:/app/public/system"]'], inside],
    ['a volume without a name', own, ['volumes: ["/mastodon/public/system"]'], inside],
    [
      'a volume',
      own,
      ['volumes: ["media:/mastodon/public/system"]'],
      { ...inside, volume: 'media' },
    ],
    ['a folder above', own, ['volumes: ["./p:/mastodon/public"]'], 'opt/mastodon/p/system'],
    [
      'another PAPERCLIP_ROOT_PATH',
      own,
      ['environment: {PAPERCLIP_ROOT_PATH: /media}', 'volumes: ["/srv/m:/media"]'],
      'srv/m',
    ],
    [
      'linuxserver',
      theirs,
      ['volumes: ["./config:/config"]'],
      'opt/mastodon/config/mastodon/public/system',
    ],
    [
      'linuxserver without a volume',
      theirs,
      [],
      { ...inside, path: '/config/mastodon/public/system' },
    ],
  ])('%s', async (_, image, lines, expected) => {
    const found = await hiddenOf(image, ...lines)
    expect(typeof found === 'string' ? found.replace(/^\//, '') : found).toEqual(expected)
  })
})

describe('the services of a compose file', () => {
  const image = 'image: ghcr.io/mastodon/mastodon:v4.6.5'
  const described = async (sidekiq: string, more = '') => {
    const { found } = await search({
      'opt/mastodon/docker-compose.yml': `services:\n  web: {${image}, env_file: .env.production, command: bundle exec puma}\n  sidekiq: {${image}, command: bundle exec sidekiq${sidekiq}}\n  streaming: {image: ghcr.io/mastodon/mastodon-streaming:v4.6.5}\n${more}`,
      'opt/mastodon/.env.production': 'S3_BUCKET=a\n',
    })
    return found.services?.map(({ name, role, envFiles, settings }) =>
      [name, role, envFiles.length, settings.get('S3_BUCKET')?.value].join(' '),
    )
  }

  test.each<[sidekiq: string, expected: string]>([
    [', env_file: [.env.production]', 'sidekiq sidekiq 1 a'],
    ['', 'sidekiq sidekiq 0 '],
    [', environment: {S3_BUCKET: b}', 'sidekiq sidekiq 0 b'],
  ])('Sidekiq with %j', async (sidekiq, expected) => {
    expect(await described(sidekiq)).toEqual(['web web 1 a', expected])
  })

  it('a service that only migrates is none of them', async () => {
    expect(await described('', `  migrate: {${image}, command: rails db:migrate}\n`)).toHaveLength(
      2,
    )
  })
})
