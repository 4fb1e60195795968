import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { realCompose } from '../services/mastodon/compose/real-compose.ts'
import { ENV, LOCAL_DOMAIN, type Machine } from './machine.ts'
import { openStage, type Stage } from './stage.ts'

const IMAGE = 'image: ghcr.io/mastodon/mastodon:v4.6.5'
const MEDIA = 'volumes: ["./public/system:/mastodon/public/system"]'
const NAMES = [
  ...['S3_ENABLED', 'S3_BUCKET', 'S3_REGION', 'S3_ENDPOINT', 'S3_PROTOCOL', 'S3_PERMISSION'],
  ...['S3_ALIAS_HOST', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
]

/** A compose file with these lines in each of the two services. */
function compose(web: readonly string[], sidekiq: readonly string[] = web): string {
  const block = (lines: readonly string[]) => lines.map((line) => `    ${line}\n`).join('')
  return `services:\n  web:\n    ${IMAGE}\n    ${MEDIA}\n    command: bundle exec puma\n${block(web)}  sidekiq:\n    ${IMAGE}\n    ${MEDIA}\n    command: bundle exec sidekiq\n${block(sidekiq)}`
}

const passing = (names: readonly string[]) => [
  'environment:',
  ...names.map((name) => `  ${name}: \${${name}}`),
]
const production = 'env_file: .env.production'

interface Form {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  /** Where the settings are, when not in .env.production. */
  readonly envFile?: string
  readonly args?: readonly string[]
  /** Words of the refusal; without them it is set up, and used. */
  readonly refused?: readonly string[]
  /** Set up or refused, as the release of compose has it; both commands have to say the same. */
  readonly either?: true
}

const forms: readonly Form[] = [
  { name: 'env_file', files: { 'compose.yml': compose([production]) } },
  {
    name: 'environment alone',
    files: { 'compose.yml': compose(['environment: {LOCAL_DOMAIN: social.example.com}']) },
    refused: ['compose.yml does not hand S3_ENABLED', 'below "web:"', 'env_file: .env.production'],
  },
  {
    name: 'no env_file, and the file named',
    files: { 'compose.yml': compose(['environment: {LOCAL_DOMAIN: social.example.com}']) },
    args: ['--mastodon-env', ENV],
    refused: ['does not hand', 'env_file: .env.production'],
  },
  {
    name: 'all passed on from .env',
    files: {
      'compose.yml': compose(passing(NAMES)),
      '.env': 'OTHER=1\n',
    },
    envFile: '.env',
    args: ['--mastodon-env', '.env'],
  },
  {
    name: 'all passed on from .env, unasked',
    files: { 'compose.yml': compose(passing(NAMES)), '.env': 'OTHER=1\n' },
    envFile: '.env',
  },
  {
    name: 'some passed on from .env',
    files: { 'compose.yml': compose(passing(['S3_ENABLED', 'S3_BUCKET'])), '.env': 'OTHER=1\n' },
    envFile: '.env',
    args: ['--mastodon-env', '.env'],
    refused: ['does not hand S3_REGION, S3_ENDPOINT', 'env_file: .env'],
  },
  {
    name: 'names alone, passed on from .env',
    files: { 'compose.yml': compose([`environment: [${NAMES.join(', ')}]`]), '.env': '' },
    envFile: '.env',
  },
  {
    name: 'another env_file for each',
    files: {
      'compose.yml': compose([production], ['env_file: .env.sidekiq']),
      '.env.sidekiq': LOCAL_DOMAIN,
    },
    refused: ['on to sidekiq', 'below "env_file:" of sidekiq', '- .env.production'],
  },
  {
    name: 'a second file on top for one',
    files: {
      'compose.yml': compose([production], ['env_file: [.env.production, .env.sidekiq]']),
      '.env.sidekiq': 'S3_ENABLED=false\n',
    },
    refused: ['another S3_ENABLED', 'of sidekiq: S3_ENABLED in', '.env.sidekiq'],
  },
  {
    name: 'an anchor',
    files: {
      'docker-compose.yml': `x-mastodon: &mastodon\n  ${IMAGE}\n  ${MEDIA}\n  env_file: [.env.production]\nservices:\n  web:\n    <<: *mastodon\n  sidekiq:\n    <<: *mastodon\n    command: bundle exec sidekiq\n`,
    },
  },
  {
    name: 'an override that switches it off',
    files: {
      'compose.yaml': compose([production]),
      'docker-compose.override.yml': 'services: {web: {environment: {S3_ENABLED: "false"}}}',
    },
    refused: ['another S3_ENABLED', 'of web: S3_ENABLED'],
  },
  {
    name: 'an override that gives the file',
    files: {
      'compose.yaml': compose([]),
      'docker-compose.override.yml':
        'services: {web: {env_file: .env.production}, sidekiq: {env_file: .env.production}}',
    },
  },
  {
    name: 'COMPOSE_FILE',
    files: {
      'base.yml': compose([]),
      'prod.yml': `services: {web: {${production}}, sidekiq: {${production}}}`,
      '.env': 'COMPOSE_FILE=base.yml:prod.yml\n',
    },
  },
  {
    name: 'an env_file that is mounted',
    files: {
      'compose.yml': compose([
        'volumes: ["./public/system:/mastodon/public/system", "./.env.production:/opt/mastodon/.env.production"]',
      ]).replaceAll(`    ${MEDIA}\n`, ''),
    },
  },
  {
    name: 'what compose refuses',
    files: { 'compose.yml': compose([production, 'labels: ["a=${NEEDED:?put it into .env}"]']) },
    refused: ['Docker Compose refuses', 'NEEDED'],
  },
  {
    name: 'an env file that compose refuses',
    files: {
      'compose.yml': compose(['env_file: [.env.production, .env.more]']),
      '.env.more': 'SMTP_FROM_ADDRESS="Mastodon" <n@example.com>\n',
    },
    refused: ['Docker Compose refuses', '.env.more', 'line 1'],
  },
  {
    name: 'env_file as a map, one of them not there',
    files: {
      'compose.yml': compose([
        'env_file: [{path: .env.production}, {path: .env.none, required: false}]',
      ]),
    },
  },
  {
    name: 'lists in another order for each',
    files: {
      'compose.yml': compose(
        ['env_file: [.env.production, .env.web]'],
        ['env_file: [.env.common, .env.production]'],
      ),
      '.env.web': 'WEB_CONCURRENCY=2\n',
      '.env.common': 'S3_ENABLED=false\nS3_BUCKET=old\n',
    },
  },
  {
    name: 'a profile that is not used',
    files: {
      'compose.yml': compose([production]).replace(
        '  sidekiq:\n',
        `  tools:\n    ${IMAGE}\n    ${MEDIA}\n    profiles: [tools]\n    command: tootctl\n    ${production}\n  sidekiq:\n`,
      ),
    },
  },
  {
    name: 'Sidekiq in a profile, with another file',
    files: {
      'compose.yml': compose([production], ['profiles: [jobs]', 'env_file: .env.sidekiq']),
      '.env.sidekiq': LOCAL_DOMAIN,
      '.env': 'COMPOSE_PROFILES=jobs\n',
    },
    refused: ['on to sidekiq', 'below "env_file:" of sidekiq'],
  },
  {
    name: 'extends a service of another file',
    files: {
      'common.yml': `services:\n  mastodon:\n    ${IMAGE}\n    ${MEDIA}\n    ${production}\n`,
      'compose.yml':
        'services:\n  web:\n    extends: {file: common.yml, service: mastodon}\n    command: bundle exec puma\n  sidekiq:\n    extends: {file: common.yml, service: mastodon}\n    command: bundle exec sidekiq\n',
    },
  },
  {
    name: 'extends a service that switches it off',
    files: {
      'common.yml': `services:\n  mastodon:\n    ${IMAGE}\n    ${MEDIA}\n    ${production}\n    environment: {S3_ENABLED: "false"}\n`,
      'compose.yml':
        'services:\n  web:\n    extends: {file: common.yml, service: mastodon}\n    command: bundle exec puma\n  sidekiq:\n    extends: {file: common.yml, service: mastodon}\n    command: bundle exec sidekiq\n',
    },
    refused: ['another S3_ENABLED'],
  },
  {
    name: 'a default that is off, and the file beside it',
    files: {
      'compose.yml': compose([production, 'environment: ["S3_ENABLED=${S3_ENABLED:-false}"]']),
    },
    refused: ['S3_ENABLED'],
  },
  {
    name: 'defaults that are off, and .env that sets them',
    files: {
      'compose.yml': compose(['environment:', ...NAMES.map((name) => `  - ${name}=\${${name}:-}`)]),
      '.env': LOCAL_DOMAIN,
    },
    envFile: '.env',
  },
  {
    name: 'another bucket in the list of environment',
    files: { 'compose.yml': compose([production, 'environment: ["S3_BUCKET=old", "TZ=UTC"]']) },
    refused: ['another S3_BUCKET'],
  },
  {
    name: 'include alone',
    files: {
      'compose.yml': 'include: [mastodon.yml]\n',
      'mastodon.yml': compose([production]),
    },
  },
  {
    name: 'of two overrides the first name counts',
    files: {
      'compose.yml': compose([production]),
      'compose.override.yml': 'services: {web: {environment: {TZ: UTC}}}',
      'docker-compose.override.yml': 'services: {web: {environment: {S3_ENABLED: "false"}}}',
    },
  },
  {
    name: 'COMPOSE_FILE with a separator of its own',
    files: {
      'base.yml': compose([]),
      'prod.yml': `services: {web: {${production}}, sidekiq: {${production}}}`,
      '.env': 'COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=base.yml,prod.yml\n',
    },
  },
  {
    name: 'several documents',
    files: {
      'compose.yml': `${compose([])}---\nservices: {web: {${production}}, sidekiq: {${production}}}\n`,
    },
  },
  {
    name: 'streaming without the file, which needs none',
    files: {
      'compose.yml': `${compose([production])}  streaming:\n    image: ghcr.io/mastodon/mastodon-streaming:v4.6.5\n    environment: {DB_HOST: db}\n`,
    },
  },
  {
    name: 'a second Sidekiq without the file',
    files: {
      'compose.yml': `${compose([production])}  pull:\n    ${IMAGE}\n    ${MEDIA}\n    command: bundle exec sidekiq -q pull\n    environment: {DB_HOST: db}\n`,
    },
    refused: ['on to pull'],
  },
  {
    name: 'a file in a folder below',
    files: {
      'compose.yml': compose(['env_file: ./config/mastodon.env']),
      'config/mastodon.env': LOCAL_DOMAIN,
    },
    envFile: 'config/mastodon.env',
    args: ['--mastodon-env', 'config/mastodon.env'],
  },
  {
    name: 'a name whose value the file has in another way',
    files: { 'compose.yml': compose([production, 'environment: [S3_ENABLED]']) },
    either: true,
  },
  {
    name: 'a reset of the environment in the override',
    files: {
      'compose.yml': compose([production, 'environment: {S3_ENABLED: "false"}']),
      'compose.override.yml':
        'services: {web: {environment: !reset null}, sidekiq: {environment: !reset null}}',
    },
    either: true,
  },
]

/** What stands before PATH: a docker without its plugin, whatever this machine has. */
function programs(compose?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-programs-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const put = (name: string, text: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  put('docker', 'echo "docker: unknown command: docker $1" >&2; exit 1')
  // It ends before there is much to collect.
  if (compose) put('docker-compose', `GOGC=off GOMAXPROCS=1 exec '${compose}' "$@"`)
  return folder
}

const modes = [
  ['as we read them', programs()],
  ...(realCompose === undefined
    ? []
    : [['as docker-compose reads them', programs(realCompose.program)] as const]),
] as const

/** One for each way to read: an account of the stand-in has few buckets. */
const stages = await Promise.all(modes.map(() => openStage()))
afterAll(() => Promise.all(stages.map((stage) => stage.close())))

const madeFor = ({ sandbox }: Stage, bucket: string) =>
  sandbox.log.filter(
    ({ method, path }) => path.includes(bucket) && method !== 'GET' && method !== 'HEAD',
  )

describe.each(modes.map(([how, folder], at) => ({ how, folder, stage: stages[at] as Stage })))(
  'compose files, $how',
  ({ how, folder, stage }) => {
    const env = { PATH: `${folder}:${process.env.PATH}` }
    const mark = how.includes('docker') ? 'b' : 'a'

    async function look(at: Machine, args: readonly string[]) {
      const { code, stdout } = await stage.initHere(at, ['check', '--json', '--quick', ...args], {
        env,
      })
      const report = JSON.parse(stdout) as {
        readonly checks: readonly {
          readonly id: string
          readonly severity: string
          readonly next?: string
        }[]
      }
      const faults = report.checks.filter(({ severity }) => severity === 'fault')
      return { code, faults, text: JSON.stringify(faults) }
    }

    test.concurrent.each(forms)(
      '$name',
      async ({ name, files, envFile = ENV, args = [], refused, either }) => {
        const own = `${name.replace(/[\W_]+/g, '-').toLowerCase()}-${mark}`
        const at = stage.machine(LOCAL_DOMAIN, files)
        const before = at.files()
        const init = await stage.initHere(
          at,
          ['--media-host', `${own}.example.com`, '--bucket', `${own}-media`, ...args],
          { env },
        )
        const said = init.stdout + init.stderr
        const check = await look(at, args)
        if (either) {
          const isRefused = init.code === 2
          expect({ code: init.code, said }).toMatchObject({ code: isRefused ? 2 : 0 })
          expect(check.faults.length > 0).toBe(isRefused)
          return
        }
        if (refused !== undefined) {
          expect({ code: init.code, said }).toMatchObject({ code: 2 })
          for (const word of refused) expect(said.replace(/\s+/g, ' ')).toContain(word)
          expect(said).not.toContain('ready and proven')
          expect(at.files()).toEqual(before)
          expect(madeFor(stage, `${own}-media`)).toEqual([])
          // Whoever asks the doctor is told the same.
          expect(check.code).not.toBe(0)
          return
        }
        expect({ code: init.code, said }).toMatchObject({ code: 0 })
        expect(at.read(envFile)).toContain(`S3_ALIAS_HOST=${own}.example.com`)
        expect(check).toEqual({ code: 0, faults: [], text: '[]' })
      },
    )
  },
)

test('media in a container alone is asked about, and how to bring it out is said', async () => {
  const [stage] = stages as [Stage]
  const at = stage.machine(LOCAL_DOMAIN, {
    'compose.yml': compose([production]).replaceAll(`    ${MEDIA}\n`, ''),
  })
  const args = ['--media-host', 'inside.example.com', '--bucket', 'inside-media']
  const asked = await stage.initHere(at, args)
  expect(asked.code).toBe(2)
  const said = (asked.stdout + asked.stderr).replace(/\s+/g, ' ')
  expect(said).toContain('--existing-media')
  expect(said).toContain('docker compose cp web:/opt/mastodon/public/system public/')
  expect(madeFor(stage, 'inside-media')).toEqual([])
  const switched = await stage.initHere(at, [...args, '--existing-media', 'switch'])
  expect(switched.code).toBe(0)
  const { stdout } = switched
  expect(stdout.indexOf('docker compose cp')).toBeGreaterThan(0)
  expect(stdout.lastIndexOf('docker compose cp')).toBeLessThan(stdout.lastIndexOf('up -d'))
})
