import fc from 'fast-check'

/** Files of a compose project, by their paths in its folder. */
export type Project = Readonly<Record<string, string>>

const KEYS = ['S3_ENABLED', 'S3_BUCKET', 'S3_ENDPOINT', 'S3_PERMISSION', 'LOCAL_DOMAIN', 'A', 'B']
const key = fc.constantFrom(...KEYS)

/** Of an env file: what people write, and what the readers disagree about. */
const fileValue = fc.constantFrom(
  ...['', 'true', 'x', 'a b', 'x # c', 'x#c', "'x'", '"x"', '""', "''", '"a\\nb"', 'a\\nb'],
  ...[
    '$A',
    '${A}',
    '${A}-$B',
    '${B:-d}',
    '${B-d}',
    '${A:-${B:-z}}',
    '${A:+o}',
    '$$A',
    '100$',
    '"$A"',
  ],
  ...["'$A'", '"\\$A"', '"a\\"b"', "'a\\'b'", '"x" junk', "'x' # c", '"x"# c', '"two\nlines"', '~'],
  ...[
    'https://a.example/b?c=d',
    'ä',
    '"\\\\"',
    '"\\t"',
    '"\\0101"',
    'a=b',
    '"${B:-${A:-y}} z"',
    '  x  ',
  ],
)
/** Of the compose file, as a person would quote it in YAML. */
const yamlValue = fc.constantFrom(
  ...['true', '"true"', 'no', '~', '""', '1', '0777', '"${A}"', '${B:-d}', '${A-d}', '"${A:+o}"'],
  ...[
    '"$$A"',
    '"${S3_BUCKET}"',
    '"${NONE:-${A:-z}}"',
    '"${NONE:-${B-{}}}"',
    'x',
    "'a b'",
    '12345678901',
  ],
  ...['"${S3_ENABLED:-false}"', '"a ${A} b ${B:-c} d"', '$A', '1.50', '"#x"', '"${A:-}"', '"a=b"'],
)

const line = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(key, fileValue).map(([name, value]) => `${name}=${value}`) },
  { weight: 1, arbitrary: key.map((name) => `export ${name}=x`) },
  { weight: 1, arbitrary: key.map((name) => `${name}: x`) },
  { weight: 1, arbitrary: key.map((name) => `${name} = x`) },
  { weight: 1, arbitrary: key },
  { weight: 1, arbitrary: fc.constantFrom('# a comment', '', '  # KEY=x', '\t', 'A="Name" <a@b>') },
)
const lineEnd = fc.constantFrom('\n', '\n', '\n', '\r\n')
const envFile = fc
  .tuple(fc.array(line, { maxLength: 6 }), lineEnd)
  .map(([lines, end]) => `${lines.join(end)}${end}`)

const envFileNames = fc.constantFrom('.env.production', 'a.env', './a.env', 'sub/b.env', '.env')
const envFileEntry = fc.oneof(
  { weight: 4, arbitrary: envFileNames },
  {
    weight: 1,
    arbitrary: envFileNames.map((path) => `{path: ${path}, required: false}`),
  },
  { weight: 1, arbitrary: fc.constant('{path: none.env, required: false}') },
)

const environment = fc.oneof(
  fc
    .uniqueArray(fc.tuple(key, yamlValue), { maxLength: 4, selector: ([name]) => name })
    .map((pairs) =>
      pairs.length === 0 ? '{}' : pairs.map(([name, value]) => `\n@${name}: ${value}`).join(''),
    ),
  fc
    .array(
      fc.oneof(
        fc.tuple(key, fileValue).map(([name, value]) => JSON.stringify(`${name}=${value}`)),
        key,
      ),
      { maxLength: 4 },
    )
    .map((entries) => `[${entries.join(', ')}]`),
)

const tag = fc.constantFrom('', '', '', '!override ')
const volumes = fc
  .subarray([
    '"./public/system:/mastodon/public/system"',
    '"media:/opt/mastodon/public/system"',
    '"~/x:/y"',
    '"/srv/m:/mastodon/public"',
    '{type: bind, source: ./m, target: /m}',
  ])
  .map((entries) => `[${entries.join(', ')}]`)

interface Parts {
  readonly envFile?: string | undefined
  readonly environment?: string | undefined
  readonly volumes?: string | undefined
  readonly command?: string | undefined
}

const parts = (tagged: boolean): fc.Arbitrary<Parts> =>
  fc.record({
    envFile: fc.option(
      fc.oneof(
        envFileNames,
        fc
          .tuple(tagged ? tag : fc.constant(''), fc.array(envFileEntry, { maxLength: 3 }))
          .map(([mark, entries]) => `${mark}[${entries.join(', ')}]`),
        ...(tagged ? [fc.constant('!reset null')] : []),
      ),
      { nil: undefined },
    ),
    environment: fc.option(
      fc.tuple(tagged ? tag : fc.constant(''), environment).map(([mark, text]) => `${mark}${text}`),
      { nil: undefined },
    ),
    volumes: fc.option(volumes, { nil: undefined, freq: 1 }),
    command: fc.option(fc.constantFrom('bundle exec puma', '[bundle, exec, sidekiq]'), {
      nil: undefined,
    }),
  })

function fields({ envFile, environment, volumes, command }: Parts, indent: string): string {
  const lines = [
    envFile === undefined ? [] : [`env_file: ${envFile}`],
    environment === undefined ? [] : [`environment: ${environment}`],
    volumes === undefined ? [] : [`volumes: ${volumes}`],
    command === undefined ? [] : [`command: ${command}`],
  ].flat()
  return lines.map((text) => `${indent}${text.replaceAll('\n@', `\n${indent}  `)}\n`).join('')
}

const IMAGE = 'image: ghcr.io/mastodon/mastodon:v4.6.5'
const END = 'volumes: {media: {}}\n'

/** web and sidekiq apart, by an anchor, or by `extends`. */
const main = fc.tuple(parts(false), parts(false), fc.nat(4)).map(([web, sidekiq, how]) => {
  const both = (extra: string) =>
    `  web:\n    ${IMAGE}\n${fields(web, '    ')}  sidekiq:\n    ${IMAGE}\n${extra}${fields(sidekiq, '    ')}`
  if (how === 1) {
    return `x-base: &base\n  ${IMAGE}\n${fields(web, '  ')}services:\n  web:\n    <<: *base\n  sidekiq:\n    <<: *base\n${fields(sidekiq, '    ')}${END}`
  }
  if (how === 2) {
    return `services:\n  web:\n    ${IMAGE}\n${fields(web, '    ')}  sidekiq:\n    extends: {service: web}\n${fields(sidekiq, '    ')}${END}`
  }
  if (how === 3) {
    return `services:\n  web:\n    extends: {file: sub/base.yml, service: base}\n${fields(web, '    ')}  sidekiq:\n    ${IMAGE}\n${fields(sidekiq, '    ')}${END}`
  }
  if (how === 4)
    return `services:\n${both('')}${END}---\nservices:\n  web:\n${fields(sidekiq, '    ') || '    tty: true\n'}`
  return `services:\n${both('')}${END}`
})

const override = parts(true).map(
  (web) => `services:\n  web:\n${fields(web, '    ') || '    tty: true\n'}`,
)
const mainName = fc.constantFrom(
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
)
const overrideName = fc.constantFrom(
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
  'prod.yml',
)

/** What Mastodon's admins have: services, env files, an override, COMPOSE_FILE, an include. */
const project: fc.Arbitrary<Project> = fc
  .record({
    mainName,
    main,
    base: parts(false),
    override: fc.option(fc.tuple(overrideName, override), { nil: undefined }),
    second: fc.option(fc.tuple(overrideName, override), { nil: undefined, freq: 1 }),
    dotenv: fc.option(envFile, { nil: undefined }),
    production: envFile,
    a: envFile,
    b: envFile,
    included: fc.option(parts(false), { nil: undefined, freq: 1 }),
  })
  .map(({ mainName, main, base, override, second, dotenv, production, a, b, included }) => {
    const isNamed = [override, second].some((one) => one?.[0] === 'prod.yml')
    const named = isNamed ? `COMPOSE_FILE=${mainName}:prod.yml\n` : ''
    const variables = dotenv === undefined && named === '' ? undefined : `${named}${dotenv ?? ''}`
    return {
      [mainName]: included === undefined ? main : `include: [sub/other.yml]\n${main}`,
      'sub/base.yml': `services:\n  base:\n    ${IMAGE}\n${fields(base, '    ')}`,
      ...(included && {
        'sub/other.yml': `services:\n  jobs:\n    ${IMAGE}\n${fields({ ...included, volumes: undefined }, '    ')}`,
      }),
      ...(override && { [override[0]]: override[1] }),
      ...(second && { [second[0]]: second[1] }),
      ...(variables !== undefined && { '.env': variables }),
      '.env.production': production,
      'a.env': a,
      'sub/b.env': b,
      'sub/a.env': 'A=sub\n',
      'sub/.env.production': 'B=sub\n',
      'sub/sub/b.env': '',
    }
  })

export function randomProjects(count: number, seed: number): Project[] {
  return fc.sample(project, { numRuns: count, seed })
}
