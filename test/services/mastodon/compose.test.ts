import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { findCompose } from '../../../src/services/mastodon/compose.ts'
import { scratch, write } from './scratch.ts'

const web = (...lines: string[]) =>
  `services:\n  web:\n    image: ghcr.io/mastodon/mastodon:v4.6.5\n${lines.map((line) => `    ${line}\n`).join('')}`

const find = (files: Record<string, string>, environment = {}) =>
  findCompose(write(scratch(), files), environment)

test.each<[form: string, lines: string[], envFiles: unknown]>([
  ['a string', ['env_file: .env.production'], [{ path: '.env.production', raw: false }]],
  ['a list', ['env_file:', '  - a.env', '  - b.env'], [{ path: 'a.env' }, { path: 'b.env' }]],
  [
    'the long form',
    ['env_file:', '  - path: a.env', '    required: false', '  - path: b.env', '    format: raw'],
    [
      { path: 'a.env', raw: false },
      { path: 'b.env', raw: true },
    ],
  ],
  ['none', [], []],
  ['nonsense', ['env_file: {a: 1}'], []],
])('env_file as %s', async (_, lines, envFiles) => {
  const found = await find({ 'docker-compose.yml': web(...lines) })
  expect(found?.service.envFiles).toMatchObject(envFiles as object[])
})

test.each<[form: string, lines: string[]]>([
  ['a map', ['environment:', '  A: x', '  B: 1', '  C:', '  D: "${E:-d}"']],
  ['a list', ['environment:', '  - A=x', '  - B=1', '  - C', '  - D=${E:-d}']],
])('environment as %s', async (_, lines) => {
  const found = await find({ 'compose.yaml': web(...lines) })
  expect([...(found?.service.environment ?? [])]).toEqual([
    ['A', 'x'],
    ['B', '1'],
    ['C', undefined],
    ['D', 'd'],
  ])
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
  expect(found?.service.image).toBe('ghcr.io/glitch-soc/mastodon:v4.5.1')
  expect(found?.service.command).toBe('')
  expect(Object.fromEntries(found?.service.environment ?? [])).toEqual({ A: 'own', B: 'base' })
  expect(found?.service.envFiles.map(({ path }) => path)).toEqual([
    expect.stringMatching(/other\/c\.env$/),
    'base.env',
  ])
})

it('merges the override file', async () => {
  const found = await find({
    'docker-compose.yml': web('env_file: a.env', 'volumes: ["./old:/mastodon/public/system"]'),
    'docker-compose.override.yml':
      'services: {web: {env_file: b.env, volumes: ["/new:/mastodon/public/system"]}}',
  })
  expect(found?.service.envFiles.map(({ path }) => path)).toEqual(['a.env', 'b.env'])
  expect(found?.service.volumes).toEqual([{ source: '/new', target: '/mastodon/public/system' }])
})

test.each<[what: string, text: string, image: string | undefined]>([
  ['web before others', 'services: {a: {image: x/mastodon:1}, web: {image: x/mastodon:2}}', ':2'],
  ['Puma', 'services: {a: {image: m/mastodon:1}, b: {image: m/mastodon:2, command: puma}}', ':2'],
  ['not streaming', 'services: {s: {image: mastodon/mastodon-streaming:1}}', undefined],
  ['no Mastodon', '# mastodon\nservices: {db: {image: postgres}}', undefined],
  ['nothing', '# mastodon\n', undefined],
])('chooses the service: %s', async (_, text, image) => {
  const found = await find({ 'compose.yml': text })
  expect(found?.service.image?.slice(-2)).toBe(image)
})

it('takes the file that compose prefers', async () => {
  const folder = write(scratch(), { 'docker-compose.yml': web(), 'compose.yml': web() })
  expect((await findCompose(folder, {}))?.file).toBe(join(folder, 'compose.yml'))
})

it('says where a broken file is broken', async () => {
  const finding = find({ 'docker-compose.yml': `${web()}  sidekiq:\n   - [mastodon\n` })
  await expect(finding).rejects.toMatchObject({ code: 'compose-file-broken', exit: 2 })
})

it("takes compose's own tags", async () => {
  expect(await find({ 'compose.yml': web('ports: !reset []') })).toBeDefined()
})

it('tells the variables of the shell that its files ask for, and none of ours', async () => {
  const found = await find({
    'compose.yaml': web('environment: [PASSED, GIVEN=$ONE, "T=${CLOUDFLARE_API_TOKEN}"]'),
    'compose.override.yaml': 'services: {web: {hostname: "${TWO:-a}"}}',
    '.env': 'A=${THREE}\n',
  })
  expect(found?.names.toSorted()).toEqual(['ONE', 'PASSED', 'THREE', 'TWO'])
})
