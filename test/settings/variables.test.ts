import { describe, expect, test } from 'vitest'
import { checkFlags } from '../../src/check/settings.ts'
import { migrateFlags } from '../../src/migrate/settings.ts'
import { redirectsCatalog, redirectsFlags } from '../../src/redirects/settings.ts'
import { sandboxCatalog } from '../../src/rehearse/settings.ts'
import { rotateFlags } from '../../src/rotate/settings.ts'
import { parseAnswers } from '../../src/settings/answers.ts'
import { parseArgv } from '../../src/settings/argv.ts'
import { catalog } from '../../src/settings/catalog.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { type Catalog, variableOf } from '../../src/settings/setting.ts'
import { undoSettings } from '../../src/undo/settings.ts'

const catalogs: readonly Catalog[] = [
  catalog,
  checkFlags,
  migrateFlags,
  redirectsFlags,
  rotateFlags,
  sandboxCatalog,
  undoSettings,
]
const settings = catalogs.flatMap((flags) => Object.values(flags))

async function resolved(environment: Record<string, string>, answers = new Map()) {
  const readFile = () => Promise.reject(new Error('nothing to read'))
  return Settings.resolve(catalog, { flags: new Map(), environment, answers, readFile })
}

describe('the rule', () => {
  const own = ['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_ACCOUNT_ID', 'CLOUDFLARE_BASE_URL', 'NO_COLOR']

  test('MASTODON_R2_ and the name of the flag, but for those that had a name', () => {
    const others = settings.flatMap((setting) => {
      const { flag } = setting
      return variableOf(setting) === variableOf({ flag }) ? [] : [variableOf(setting)]
    })
    expect(new Set(others)).toEqual(
      new Set([
        ...own,
        'MASTODON_R2_ENV_FILE',
        'MASTODON_R2_SANDBOX_TOKEN_KIND',
        'MASTODON_R2_CHECK_FORMAT',
      ]),
    )
    expect(variableOf(catalog.s3EndpointUrl)).toBe('MASTODON_R2_S3_ENDPOINT_URL')
  })

  test('one variable, and one flag of what moves media, means one thing in every command', () => {
    const meanings = new Map<string, Set<string | undefined>>()
    for (const setting of settings) {
      const variable = variableOf(setting)
      meanings.set(variable, (meanings.get(variable) ?? new Set()).add(setting.value))
    }
    expect([...meanings].filter(([, values]) => values.size > 1)).toEqual([])
  })
})

describe('a variable', () => {
  test.each([
    [{ MASTODON_R2_LOCATION: 'weur' }, 'location', 'weur', 'MASTODON_R2_LOCATION'],
    [{ MASTODON_R2_DRY_RUN: '1' }, 'dryRun', true, 'MASTODON_R2_DRY_RUN'],
    [{ MASTODON_R2_DRY_RUN: 'TRUE' }, 'dryRun', true, 'MASTODON_R2_DRY_RUN'],
    [{ MASTODON_R2_DRY_RUN: '0' }, 'dryRun', undefined, undefined],
    [{ MASTODON_R2_DRY_RUN: 'no' }, 'dryRun', undefined, undefined],
    [{ MASTODON_R2_DRY_RUN: '' }, 'dryRun', undefined, undefined],
    [{ NO_COLOR: '0' }, 'noColor', true, 'NO_COLOR'],
    [
      { MASTODON_R2_ALLOW_IP: '203.0.113.7, 2001:db8::/32' },
      'allowIp',
      ['203.0.113.7', '2001:db8::/32'],
      'MASTODON_R2_ALLOW_IP',
    ],
    [
      { MASTODON_R2_MASTODON_DIR: '/srv/a b' },
      'mastodonDir',
      '/srv/a b',
      'MASTODON_R2_MASTODON_DIR',
    ],
  ] as const)('%j', async (environment, name, value, source) => {
    const found = await resolved(environment)
    expect([found.get(name), found.source(name)]).toEqual([value, source])
  })

  test('that is neither on nor off is refused', async () => {
    await expect(resolved({ MASTODON_R2_YES: 'perhaps' })).rejects.toMatchObject({
      code: 'settings-wrong',
      why: expect.stringContaining('MASTODON_R2_YES: "perhaps" must be 1 or 0'),
    })
  })
})

describe('answers as variables', () => {
  test.each([
    ['MASTODON_R2_BUCKET=media', { bucket: 'media' }],
    ['# mine\n\nexport MASTODON_R2_BUCKET = "media" # ours\r\n', { bucket: 'media' }],
    ['\uFEFFMASTODON_R2_BUCKET=media\nMASTODON_R2_LOCATION=', { bucket: 'media' }],
    ["MASTODON_R2_ALLOW_IP='203.0.113.7 203.0.113.8'", { allowIp: ['203.0.113.7', '203.0.113.8'] }],
    ['MASTODON_R2_ENV_FILE=/srv/it.env', { mastodonEnv: '/srv/it.env' }],
    ['CLOUDFLARE_API_TOKEN=abc', { apiToken: 'abc' }],
  ])('%j', async (text, expected) => {
    expect(Object.fromEntries(await parseAnswers(text, catalog))).toEqual(expected)
  })

  test.each([
    ['cfut_aaaaaaaaaaaaaaaaaaaaaaaa'],
    ['cfut_aaaaaaaaaaaaaaaaaaaaaaaa=='],
    ['MASTODON_R2_BUCKET=media\nDB_PASS=cfut_aaaaaaaaaaaaaaaaaaaaaaaa'],
    ['{"cfut_aaaaaaaaaaaaaaaaaaaaaaaa": 1}'],
    ['MASTODON_R2_BUCKET="cfut_aaaaaaaaaaaaaaaaaaaaaaaa'],
  ])('%j is refused, and nothing of it is repeated that may be a secret', async (text) => {
    const problem = await parseAnswers(text, catalog).catch((error: unknown) => error)
    expect(problem).toMatchObject({ code: 'answers-wrong', exit: 2 })
    const { what, why, next } = problem as Record<string, string>
    expect(`${what} ${why} ${next}`).not.toContain('aaaa')
  })
})

describe('a flag that has another name by now', () => {
  test.each([
    [['--from', '/system/'], 'oldAddress', ['/system/'], '--from is called --old-address now'],
    [['--engine=nginx'], 'via', 'nginx', '--engine is called --via now'],
    [['--env-file', '/e'], 'mastodonEnv', '/e', '--env-file is called --mastodon-env now'],
  ])('%j', async (argv, name, value, note) => {
    const notes: string[] = []
    expect([...(await parseArgv('redirects', argv, redirectsFlags, notes))]).toEqual([
      [name, value],
    ])
    expect(notes).toEqual([expect.stringContaining(note)])
  })

  test.each([
    ['from', 'oldAddress'],
    ['engine', 'via'],
  ])('%s in answers is %s', async (former, name) => {
    const answers = await parseAnswers(JSON.stringify({ [former]: 'x' }), redirectsCatalog)
    expect([...answers.keys()]).toEqual([name])
  })

  test('the new names give no note', async () => {
    const notes: string[] = []
    await parseArgv('redirects', ['--old-address', '/a/', '--via', 'bulk'], redirectsFlags, notes)
    expect(notes).toEqual([])
  })
})
