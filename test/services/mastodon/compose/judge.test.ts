import { execFile } from 'node:child_process'
import { expect, test } from 'vitest'
import { type Ask, askCompose } from '../../../../src/services/mastodon/compose/judge.ts'
import { whereThere } from '../../../setup/real-reader.ts'
import { scratch, write } from '../scratch.ts'
import { composeMissing, realCompose } from './real-compose.ts'

const project = { shell: ['TAG'] }

/** A machine with these programs, by what is typed. */
const machine =
  (answers: Readonly<Record<string, string | { readonly stderr: string }>>): Ask =>
  async ({ program, args, inherits }) => {
    expect(args.includes('config') ? inherits : ['TAG']).toEqual(['TAG'])
    const answer = answers[[program, ...args].join(' ')]
    if (answer === undefined) throw new Error('program-missing')
    return typeof answer === 'string'
      ? { exitCode: 0, stdout: answer }
      : { exitCode: 15, stdout: '', ...answer }
  }

const MODEL = JSON.stringify({
  services: { web: { image: 'mastodon', environment: { A: 'x$$y', B: null }, command: null } },
})
const read = { is: 'read', services: [expect.objectContaining({ name: 'web' })] }

test.each<[what: string, answers: Parameters<typeof machine>[0], expected: unknown]>([
  [
    'the plugin',
    {
      'docker compose version': 'Docker Compose version v2.40.3',
      'docker compose --profile * config --format json': MODEL,
    },
    read,
  ],
  [
    'the program by itself',
    {
      'docker-compose version': 'Docker Compose version 2.26.1-4',
      'docker-compose --profile * config --format json': MODEL,
    },
    read,
  ],
  [
    'where seldom started services are at fault',
    {
      'docker compose version': 'v2.40.3',
      'docker compose --profile * config --format json': { stderr: 'env file x not found' },
      'docker compose config --format json': MODEL,
    },
    read,
  ],
  [
    'version 1, which knows no JSON',
    { 'docker-compose version': 'docker-compose version 1.29.2' },
    undefined,
  ],
  ['none', {}, undefined],
  [
    'a refusal, without what it quotes',
    {
      'docker compose version': 'v2.40.3',
      'docker compose --profile * config --format json': { stderr: '' },
      'docker compose config --format json': {
        stderr:
          'time="…" level=warning msg="x"\nfailed to read /a/.env: line 2: unexpected character "<" in variable name "<a@b> DB_PASS=hunter2"\n',
      },
    },
    {
      is: 'refused',
      reason: 'failed to read /a/.env: line 2: unexpected character "<" in variable name …',
    },
  ],
])('%s', async (_, answers, expected) => {
  expect(await askCompose('/opt/mastodon', project, machine(answers))).toEqual(expected)
})

test('dollars are single again, and names without a value have none', async () => {
  const answers = {
    'docker compose version': 'v2.1.0',
    'docker compose --profile * config --format json': MODEL,
  }
  const judged = await askCompose('/opt/mastodon', project, machine(answers))
  const environment = judged?.is === 'read' ? judged.services[0]?.environment : undefined
  expect([...(environment ?? [])]).toEqual([
    ['A', 'x$y'],
    ['B', undefined],
  ])
})

whereThere(composeMissing)('the real program', async () => {
  const folder = write(scratch(), {
    'compose.yml':
      'services:\n  web: {image: mastodon, env_file: a.env, environment: ["A=$$x"]}\n  jobs: {image: mastodon, profiles: [seldom]}\n',
    'a.env': 'A=1\nB=2\n',
  })
  const ask: Ask = ({ program, args }, cwd) =>
    new Promise((done, fail) => {
      if (program === 'docker') return fail(new Error('program-missing'))
      execFile(realCompose?.program ?? '', [...args], { cwd }, (error, stdout, stderr) =>
        done({ exitCode: error === null ? 0 : 1, stdout, stderr }),
      )
    })
  const judged = await askCompose(folder, project, ask)
  if (judged?.is !== 'read') throw new Error(`It is ${judged?.is}.`)
  expect(judged.services.map(({ name }) => name).toSorted()).toEqual(['jobs', 'web'])
  const web = judged.services.find(({ name }) => name === 'web')
  expect(Object.fromEntries(web?.environment ?? [])).toEqual({ A: '$x', B: '2' })
})
