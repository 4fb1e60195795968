import { describe, expect, it } from 'vitest'
import { parseAnswers } from '../../src/settings/answers.ts'
import { parseArgv } from '../../src/settings/argv.ts'
import { catalog } from '../../src/settings/catalog.ts'
import { replay } from '../../src/settings/replay.ts'
import { Settings } from '../../src/settings/resolve.ts'

const TOKEN = `cfat_${'a1B2c3'.repeat(8)}`

async function resolve(argv: string[], environment: Record<string, string> = {}, answers = '{}') {
  return Settings.resolve(catalog, {
    flags: await parseArgv('init', argv, catalog),
    environment,
    answers: await parseAnswers(answers, catalog),
    readFile: async () => `${TOKEN}\n`,
  })
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error('was not refused')),
    (problem) => problem as { code: string; what: string; why: string; exit: number },
  )

it.each([
  ['--s3-endpoint-url', 'https://key:hunter2@s3.example.com'],
  ['--s3-endpoint-url', 'https://key:hunter2@s3.example.com/bucket'],
  ['--cloudflare-api-url', 'https://hunter2@api.example.com'],
  ['--cloudflare-api-url', 'ftp://a:hunter2@api.example.com'],
])(
  'what stands before the host of an address is refused, and not shown: %s %s',
  async (...argv) => {
    const { code, why } = await failure(resolve(argv))
    expect(code).toBe('settings-wrong')
    expect(why).toContain('://****@')
    expect(why).not.toContain('hunter2')
  },
)

describe('the strongest source wins', () => {
  it('flag before variable before answers', async () => {
    const env = { MASTODON_R2_MEDIA_HOST: 'b.example.com' }
    const answers = '{"mediaHost": "c.example.com"}'
    const all = await resolve(['--media-host', 'a.example.com'], env, answers)
    expect([all.get('mediaHost'), all.source('mediaHost')]).toEqual([
      'a.example.com',
      '--media-host',
    ])
    const two = await resolve([], env, answers)
    expect(two.get('mediaHost')).toBe('b.example.com')
    const one = await resolve([], {}, answers)
    expect([one.get('mediaHost'), one.source('mediaHost')]).toEqual(['c.example.com', 'answers'])
  })

  it('an empty variable counts as not set', async () => {
    expect((await resolve([], { MASTODON_R2_BUCKET: '' })).get('bucket')).toBeUndefined()
  })

  it('a default comes last, and is named as such', async () => {
    const settings = await resolve([])
    expect(settings.need('waitDomain')).toBe(900_000)
    expect(settings.source('waitDomain')).toBe('default')
  })

  it('the token comes from the variable or the file, wrapped', async () => {
    const fromFile = await resolve(['--api-token-file', 'f'])
    const fromEnv = await resolve([], { CLOUDFLARE_API_TOKEN: TOKEN })
    expect(fromFile.get('apiToken')?.reveal()).toBe(TOKEN)
    expect(fromEnv.get('apiToken')?.reveal()).toBe(TOKEN)
    expect(JSON.stringify([...fromFile.entries()])).not.toContain(TOKEN)
  })

  it('repeatable flags add up, and an answer may be one or many', async () => {
    const argv = ['--allow-ip', '203.0.113.1', '--allow-ip=2001:db8::/32']
    expect((await resolve(argv)).get('allowIp')).toEqual(['203.0.113.1', '2001:db8::/32'])
    expect((await resolve([], {}, '{"allow-ip":"203.0.113.1"}')).get('allowIp')).toEqual([
      '203.0.113.1',
    ])
  })

  it('what was put right is said', async () => {
    const settings = await resolve(['--media-host', 'https://Files.example.com/'])
    expect(settings.notes).toEqual([
      'Put right: --media-host: left out the scheme, left out the path, changed to lower case -> files.example.com',
    ])
  })
})

describe('wrong settings are refused before anything happens', () => {
  it('all at once, each with where it came from', async () => {
    const problem = await failure(
      resolve(['--media-host', 'a_b.example.com', '--expires', 'soon'], {
        MASTODON_R2_BUCKET: 'x',
      }),
    )
    expect(problem).toMatchObject({ code: 'settings-wrong', exit: 2 })
    expect(problem.what).toBe('3 settings are wrong.')
    for (const where of ['--media-host:', '--expires:', 'MASTODON_R2_BUCKET:']) {
      expect(problem.why).toContain(where)
    }
  })

  it('a wrong token is never repeated', async () => {
    const problem = await failure(resolve([], { CLOUDFLARE_API_TOKEN: 'hunter2 hunter2' }))
    expect(JSON.stringify(problem)).not.toContain('hunter2')
  })

  it('missing ones are named together, with flag and variable', async () => {
    const problem = (await resolve([])).missing(['apiToken', 'mediaHost', 'existingMedia'])
    expect(problem?.what).toBe('3 settings are missing.')
    expect(problem?.why).toContain('--api-token-file PATH|- or CLOUDFLARE_API_TOKEN')
    expect(problem?.why).toContain('--media-host HOST or MASTODON_R2_MEDIA_HOST')
    expect(problem?.why).toContain('--existing-media prepare|switch')
    expect((await resolve(['--bucket', 'abc'])).missing(['bucket'])).toBeUndefined()
  })

  it.each([
    [['--media-hst', 'a'], 'unknown-flag', 'Did you mean --media-host?'],
    [['--zzzzzzzzzz'], 'unknown-flag', 'knows no flag like it'],
    [['-x'], 'unknown-flag', ''],
    [['files.example.com'], 'unexpected-word', 'needs quotes'],
    [['--bucket'], 'flag-needs-value', 'missing'],
    [['--bucket', '--yes'], 'flag-needs-value', 'another flag'],
    [['--yes=no'], 'flag-takes-no-value', 'switch'],
    [['--bucket', 'abc', '--bucket', 'abd'], 'flag-twice', 'not clear'],
  ])('%j: %s', async (argv, code, words) => {
    const problem = await failure(resolve(argv))
    expect(problem).toMatchObject({ code, exit: 2 })
    expect(problem.why).toContain(words)
  })

  it.each([
    ['{', 'not JSON'],
    ['', 'are empty'],
    ['[]', 'not a JSON object'],
    ['"x"', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['{"mediaHst":"a"}', 'does not exist'],
    ['{"yes":true}', "can't stand there"],
    ['{"mediaHost":"a.example.com","media-host":"b.example.com"}', 'same setting'],
  ])('answers %s: %s', async (answers, words) => {
    const problem = await failure(resolve([], {}, answers))
    expect(problem).toMatchObject({ code: 'answers-wrong', exit: 2 })
    expect(problem.what).toContain(words)
  })

  it.each([
    ['{"bucket": 7}', 'answers: '],
    ['{"corsOrigin": [1]}', 'answers: '],
    ['{"waitDomain": {}}', 'answers: '],
    ['{"apiToken": ["x"]}', 'answers: '],
  ])('answers of the wrong type: %s', async (answers, words) => {
    const problem = await failure(resolve([], {}, answers))
    expect(problem).toMatchObject({ code: 'settings-wrong', exit: 2 })
    expect(problem.why).toContain(words)
  })
})

describe('the command that repeats a run', () => {
  it('has the flags, no secret, and no way of talking', async () => {
    const settings = await resolve(
      ['--media-host', 'files.example.com', '--json', '--verbose', '--mastodon-dir', "/srv/it's"],
      { CLOUDFLARE_API_TOKEN: TOKEN },
    )
    settings.need('corsOrigin')
    expect(String(replay('init', catalog, settings.entries()))).toBe(
      `CLOUDFLARE_API_TOKEN="$CLOUDFLARE_API_TOKEN" npx mastodon-r2 init --media-host files.example.com --mastodon-dir '/srv/it'\\''s' --yes`,
    )
  })

  it('can be parsed again to the same settings', async () => {
    const argv = [
      '--bucket',
      'abc',
      '--allow-ip',
      '203.0.113.1',
      '--allow-ip',
      '2001:db8::/32',
      '--print',
    ]
    const line = replay('init', catalog, (await resolve(argv)).entries())
    const words = String(line).split(' ').slice(3)
    const again = await resolve(words)
    expect(again.get('allowIp')).toEqual(['203.0.113.1', '2001:db8::/32'])
    expect([again.get('bucket'), again.on('print'), again.on('yes')]).toEqual(['abc', true, true])
  })
})
