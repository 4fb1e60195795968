import { describe, expect, test } from 'vitest'
import { checkFlags } from '../../src/check/settings.ts'
import { migrateFlags } from '../../src/migrate/settings.ts'
import { redirectsFlags } from '../../src/redirects/settings.ts'
import { sandboxCatalog } from '../../src/rehearse/settings.ts'
import { rotateFlags } from '../../src/rotate/settings.ts'
import { parseArgv } from '../../src/settings/argv.ts'
import { catalog } from '../../src/settings/catalog.ts'
import type { Catalog } from '../../src/settings/setting.ts'
import { undoSettings } from '../../src/undo/settings.ts'

const SECRET = `cfut_${'Ab3'.repeat(14)}`
const catalogs: Readonly<Record<string, Catalog>> = {
  init: catalog,
  check: checkFlags,
  migrate: migrateFlags,
  redirects: redirectsFlags,
  rotate: rotateFlags,
  sandbox: sandboxCatalog,
  undo: undoSettings,
}

async function refusal(command: string, argv: readonly string[]) {
  const settings = catalogs[command] as Catalog
  const error = await parseArgv(command, argv, settings).catch((problem: unknown) => problem)
  return error as { code: string; what: string; why: string }
}

describe('one letter', () => {
  test.each([
    [['-y'], ['yes']],
    [['-q'], ['quiet']],
    [['-v'], ['verbose']],
    [['-yq'], ['yes', 'quiet']],
    [
      ['-qy', '--dry-run'],
      ['quiet', 'yes', 'dryRun'],
    ],
  ])('%j is %j', async (argv, names) => {
    const given = await parseArgv('init', argv, catalog)
    expect([...given]).toEqual(names.map((name) => [name, true]))
  })

  test('one that is none is refused', async () => {
    expect(await refusal('init', ['-yx'])).toMatchObject({ code: 'unknown-flag', what: /-x/ })
  })
})

describe('a flag that is none', () => {
  test.each([
    ['init', '--token', '--api-token-file'],
    ['init', '--api-token', '--api-token-file'],
    ['check', '--cloudflare-token', '--api-token-file'],
    ['init', '--domain', '--media-host'],
    ['undo', '--domain', '--media-host'],
    ['redirects', '--host', '--media-host'],
    ['init', '--buket', '--bucket'],
    ['init', '--env-fil', '--mastodon-env'],
    ['init', '--assume-yes', '--yes'],
    ['rotate', '--domain', undefined],
    ['sandbox', '--token', undefined],
    ['check', '--dry-run', undefined],
    ['check', '--yes', undefined],
  ])('%s %s: %s', async (command, flag, guess) => {
    const { why } = await refusal(command, [flag, 'x'])
    expect(/Did you mean (--[\w-]+)/.exec(why)?.[1]).toBe(guess)
  })

  const flags = ['--token', '--domain', '--key', '--config', '--region', '--force', '--plan']
  test.each(Object.keys(catalogs))('%s suggests none that it does not have', async (command) => {
    const known = Object.values(catalogs[command] as Catalog).map(({ flag }) => flag as string)
    const guesses = await Promise.all(
      flags.map(async (flag) =>
        /Did you mean (--[\w-]+)/.exec((await refusal(command, [flag])).why),
      ),
    )
    const suggested = guesses.flatMap((guess) => guess?.[1] ?? [])
    expect(suggested.filter((flag) => !known.includes(flag))).toEqual([])
  })

  test.each([
    [[`--${SECRET}`]],
    [[`--token=${SECRET}`]],
    [['--token', SECRET]],
    [[SECRET]],
    [[`-${SECRET}`]],
  ])('%j: what may be a secret is not repeated', async (argv) => {
    const { code, what, why } = await refusal('init', argv)
    expect(code).toMatch(/^un(known|expected)-/)
    expect(`${what} ${why}`).not.toContain(SECRET.slice(5))
  })
})
