import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { findCompose } from '../../../../src/services/mastodon/compose/mastodon-services.ts'
import { scratch, write } from '../scratch.ts'

const read = (path: string) => readFile(path, 'utf8').catch(() => undefined)
const web = (...lines: string[]) =>
  `services:\n  web:\n    image: ghcr.io/mastodon/mastodon:v4.6.5\n${lines.map((line) => `    ${line}\n`).join('')}`

/** The web service with paths below the project's folder. */
async function find(files: Record<string, string>, environment = {}) {
  const folder = write(scratch(), files)
  const found = await findCompose(folder, environment, read)
  const service = found?.services.find(({ role }) => role === 'web')
  const short = (path: string) => path.replace(`${folder}/`, '')
  return {
    project: found?.project,
    names: found?.services.map(({ name, role }) => `${name} ${role}`),
    image: service?.image,
    command: service?.command,
    environment: Object.fromEntries(service?.environment ?? []),
    envFiles: service?.envFiles.map(({ path, raw }) => `${short(path)}${raw ? ' raw' : ''}`),
    volumes: service?.volumes.map(({ source, target }) => `${short(source)}:${target}`),
    refused: found?.project.refused.map(short),
    unread: found?.project.unread,
  }
}

test.each<[form: string, lines: string[], envFiles: string[]]>([
  ['a string', ['env_file: .env.production'], ['.env.production']],
  ['a list', ['env_file:', '  - a.env', '  - b.env'], ['a.env', 'b.env']],
  [
    'the long form',
    ['env_file:', '  - path: a.env', '    required: false', '  - path: b.env', '    format: raw'],
    ['a.env', 'b.env raw'],
  ],
  [
    'one file twice: it keeps its first place',
    ['env_file: [a.env, b.env, a.env]'],
    ['a.env', 'b.env'],
  ],
  ['none', [], []],
])('env_file as %s', async (_, lines, envFiles) => {
  expect((await find({ 'docker-compose.yml': web(...lines) })).envFiles).toEqual(envFiles)
})

test.each<[form: string, lines: string[]]>([
  ['a map', ['environment:', '  A: x', '  B: 1', '  C:', '  D: "${E:-d}"', '  F:']],
  ['a list', ['environment:', '  - A=x', '  - B=1', '  - C', '  - D=${E:-d}', '  - F']],
])('environment as %s', async (_, lines) => {
  const { environment } = await find({ 'compose.yaml': web(...lines), '.env': 'F=from .env\n' })
  expect(environment).toEqual({ A: 'x', B: '1', C: undefined, D: 'd', F: 'from .env' })
})

it('follows anchors, merge keys and extends', async () => {
  const found = await find({
    'docker-compose.yml': `
x-base: &base
  image: ghcr.io/glitch-soc/mastodon:\${TAG}
  env_file: [base.env]
services:
  sidekiq:
    <<: *base
    command: bundle exec sidekiq
  web:
    <<: *base
    extends: {file: other/common.yml, service: common}
    environment: {A: own}
`,
    'other/common.yml': 'services: {common: {environment: {A: base, B: base}, env_file: c.env}}',
    '.env': 'TAG=v4.5.1\n',
  })
  expect(found).toMatchObject({
    image: 'ghcr.io/glitch-soc/mastodon:v4.5.1',
    command: '',
    environment: { A: 'own', B: 'base' },
    envFiles: ['other/c.env', 'base.env'],
  })
})

describe('several files', () => {
  const over = 'services: {web: {env_file: over.env}}'

  test.each<[main: string, others: string[], read: string]>([
    ['compose.yaml', ['docker-compose.override.yml'], 'docker-compose.override.yml'],
    ['docker-compose.yml', ['compose.override.yaml'], 'compose.override.yaml'],
    [
      'compose.yml',
      ['docker-compose.override.yml', 'compose.override.yaml'],
      'compose.override.yaml',
    ],
    ['compose.yml', ['compose.override.yaml', 'compose.override.yml'], 'compose.override.yml'],
    ['compose.yml', ['docker-compose.override.yaml'], 'docker-compose.override.yaml'],
  ])('%s with %j: %s is on top', async (main, others, expected) => {
    const files = Object.fromEntries(
      others.map((name) => [name, `services: {web: {env_file: ${name}.env}}`]),
    )
    expect((await find({ [main]: web(), ...files })).envFiles).toEqual([`${expected}.env`])
  })

  it('of several main files the one that compose prefers', async () => {
    const { project } = await find({ 'docker-compose.yml': web(), 'compose.yml': web() })
    expect(project?.file).toBe(join(project?.folder ?? '', 'compose.yml'))
  })

  test.each<[what: string, files: Record<string, string>, envFiles: string[]]>([
    ['an override', { 'compose.override.yml': over }, ['a.env', 'over.env']],
    [
      '!override',
      { 'compose.override.yml': 'services: {web: {env_file: !override [b.env]}}' },
      ['b.env'],
    ],
    ['!reset', { 'compose.override.yml': 'services: {web: {env_file: !reset null}}' }, []],
    [
      'COMPOSE_FILE',
      { '.env': 'COMPOSE_FILE=compose.yml:prod.yml\n', 'prod.yml': over },
      ['a.env', 'over.env'],
    ],
    [
      'COMPOSE_FILE with a separator of its own',
      { '.env': 'COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=compose.yml,prod.yml\n', 'prod.yml': over },
      ['a.env', 'over.env'],
    ],
    [
      'COMPOSE_FILE alone takes no override',
      { '.env': 'COMPOSE_FILE=compose.yml\n', 'compose.override.yml': over },
      ['a.env'],
    ],
  ])('%s', async (_, files, envFiles) => {
    const found = await find({ 'compose.yml': web('env_file: a.env'), ...files })
    expect(found.envFiles).toEqual(envFiles)
  })

  it('documents of one file', async () => {
    const found = await find({ 'compose.yml': `${web('env_file: a.env')}---\n${over}\n` })
    expect(found.envFiles).toEqual(['a.env', 'over.env'])
  })

  it('what is included, with an .env of its own', async () => {
    const found = await find({
      'compose.yml': 'include: [live/mastodon.yml]\n',
      'live/mastodon.yml': web('env_file: "${NAME}"'),
      'live/.env': 'NAME=a.env\n',
    })
    expect(found).toMatchObject({ names: ['web web'], envFiles: ['live/a.env'] })
  })

  it('a base that alone says mastodon', async () => {
    const found = await find({
      'compose.yml': 'services: {web: {extends: {file: base.yml, service: base}}}\n',
      'base.yml': 'services: {base: {image: ghcr.io/mastodon/mastodon:v4.6.5}}\n',
    })
    expect(found.names).toEqual(['web web'])
  })

  it('volumes of the same place', async () => {
    const found = await find(
      {
        'docker-compose.yml': web('volumes: ["./old:/mastodon/public/system", "~/x:/y"]'),
        'docker-compose.override.yml':
          'services: {web: {volumes: ["/new:/mastodon/public/system"]}}',
      },
      { HOME: '/home/m' },
    )
    expect(found.volumes).toEqual(['/new:/mastodon/public/system', '/home/m/x:/y'])
  })
})

test.each<[what: string, text: string, names: string[] | undefined]>([
  [
    'web before others',
    'services: {a: {image: x/mastodon:1}, web: {image: x/mastodon:2}}',
    ['web web'],
  ],
  [
    'Puma',
    'services: {a: {image: m/mastodon:1}, b: {image: m/mastodon:2, command: puma}}',
    ['b web'],
  ],
  [
    'an image of one’s own, by what it starts',
    'services: {a: {image: r.example/social, command: puma, environment: {LOCAL_DOMAIN: x}}}',
    ['a web'],
  ],
  [
    'linuxserver’s Sidekiq',
    'services: {m: {image: lscr.io/linuxserver/mastodon}, s: {image: lscr.io/linuxserver/mastodon, environment: {SIDEKIQ_ONLY: "true"}}}',
    ['m web', 's sidekiq'],
  ],
  ['not streaming', 'services: {s: {image: mastodon/mastodon-streaming:1}}', undefined],
  [
    'another Rails app',
    'services: {web: {image: chatwoot/chatwoot, command: bundle exec rails s}}',
    undefined,
  ],
  ['no Mastodon', '# mastodon\nservices: {db: {image: postgres}}', undefined],
  ['nothing', '# mastodon\n', undefined],
])('chooses the services: %s', async (_, text, names) => {
  expect((await find({ 'compose.yml': text })).names).toEqual(names)
})

it('says where a broken file is broken', async () => {
  const finding = find({ 'docker-compose.yml': `${web()}  sidekiq:\n   - [mastodon\n` })
  await expect(finding).rejects.toMatchObject({ code: 'compose-file-broken', exit: 2 })
})

test.each<[what: string, files: Record<string, string>, refused: string]>([
  ['a needed variable', { 'compose.yml': web('environment: ["A=${X:?}"]') }, 'X is needed'],
  [
    'a file that is not there',
    { 'compose.yml': web(), '.env': 'COMPOSE_FILE=compose.yml:none.yml\n' },
    'none.yml is not there',
  ],
  ['an .env that it can’t read', { 'compose.yml': web(), '.env': 'A="x" <y>\n' }, '.env: line 1'],
  ['an extends of nothing', { 'compose.yml': web('extends: none') }, 'extends none'],
])('tells what compose refuses: %s', async (_, files, reason) => {
  expect((await find(files)).refused?.join()).toContain(reason)
})

it('names what only compose can read', async () => {
  const found = await find({ 'compose.yml': 'include: ["https://example.com/mastodon.git"]\n' })
  expect(found).toMatchObject({ names: [], unread: ['include: https://example.com/mastodon.git'] })
})

it('tells which variables of the shell the files ask for, but for our own', async () => {
  const files = { 'compose.yml': web('environment: ["A=${TAG}-${CLOUDFLARE_API_TOKEN}", LC_ALL]') }
  const { project } = await find(files, { TAG: 'x', OTHER: 'y', CLOUDFLARE_API_TOKEN: 'z' })
  expect(project?.shell).toEqual(['TAG'])
})
