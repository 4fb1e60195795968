import { describe, expect, it } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import type { SettingName } from '../../src/settings/catalog.ts'
import { refuseContradictions } from '../../src/settings/catalog.ts'

type Given = Partial<Record<SettingName, string>>

function problemOf(given: Given): Problem | undefined {
  try {
    refuseContradictions((name) => given[name])
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

describe('contradictions', () => {
  it.each<[Given, string]>([
    [{ location: '--location', jurisdiction: '--jurisdiction' }, 'settings-contradict'],
    [{ location: 'answers', jurisdiction: '--jurisdiction' }, 'settings-contradict'],
    [{ print: '--print', json: '--json' }, 'settings-contradict'],
    [{ print: '--print', dryRun: '--dry-run' }, 'settings-contradict'],
    [{ announce: '--announce', print: '--print' }, 'settings-contradict'],
    [{ announce: '--announce', sandbox: '--sandbox' }, 'settings-contradict'],
    [{ sandbox: '--sandbox', cloudflareApiUrl: '--cloudflare-api-url' }, 'settings-contradict'],
    [{ sandbox: '--sandbox', s3EndpointUrl: '--s3-endpoint-url' }, 'settings-contradict'],
    [{ sandbox: '--sandbox', connectTo: '--connect-to' }, 'settings-contradict'],
    [{ sandbox: '--sandbox', apiToken: '--api-token-file' }, 'settings-contradict'],
    [{ sandbox: '--sandbox', accountId: '--account-id' }, 'settings-contradict'],
    [{ format: '--format' }, 'format-without-print'],
  ])('%o is refused', (given, code) => {
    const problem = problemOf(given)
    expect(problem).toMatchObject({ code, exit: 2 })
    for (const source of Object.values(given)) expect(problem?.what).toContain(source)
    expect(problem?.next).not.toBe('')
  })

  it.each<[string, Given]>([
    ['nothing', {}],
    ['one of a pair', { location: '--location', json: '--json', quiet: '--quiet' }],
    ['a format of what is printed', { print: '--print', format: '--format' }],
    [
      'variables in the sandbox are left aside',
      { sandbox: '--sandbox', apiToken: 'CLOUDFLARE_API_TOKEN' },
    ],
    ['answers in the sandbox are left aside', { sandbox: '--sandbox', accountId: 'answers' }],
    ['other flags in the sandbox', { sandbox: '--sandbox', mediaHost: '--media-host' }],
    ['another world, no sandbox', { cloudflareApiUrl: '--cloudflare-api-url' }],
  ])('%s is fine', (_, given) => {
    expect(problemOf(given)).toBeUndefined()
  })
})
