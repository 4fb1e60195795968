import { describe, expect, test } from 'vitest'
import { parseAnswers } from '../../src/settings/answers.ts'
import { parseArgv } from '../../src/settings/argv.ts'
import { catalog } from '../../src/settings/catalog.ts'

describe('a setting that had another name', () => {
  test.each([[['--env-file', '/e']], [['--env-file=/e']], [['--mastodon-env', '/e']]])(
    '%j',
    async (argv) => {
      expect([...(await parseArgv('init', argv, catalog))]).toEqual([['mastodonEnv', '/e']])
    },
  )

  test('is given twice when both names are used', async () => {
    const argv = ['--env-file', '/a', '--mastodon-env', '/b']
    await expect(parseArgv('init', argv, catalog)).rejects.toMatchObject({ code: 'flag-twice' })
  })

  test.each(['envFile', 'env-file', 'mastodonEnv', 'mastodon-env'])(
    '%s in answers',
    async (key) => {
      const answers = await parseAnswers(JSON.stringify({ [key]: '/e' }), catalog)
      expect([...answers]).toEqual([['mastodonEnv', '/e']])
    },
  )
})
