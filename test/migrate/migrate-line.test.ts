import { describe, expect, test } from 'vitest'
import { afterPrepareLine, otherStageLine, sameStageLine } from '../../src/migrate/line.ts'
import type { MigrateRun } from '../../src/migrate/migration.ts'
import { migrateCatalog } from '../../src/migrate/settings.ts'
import { Settings } from '../../src/settings/resolve.ts'

const ENV = '/srv/it is here/.env.production'

async function run(flags: Record<string, string | true>): Promise<Pick<MigrateRun, 'settings'>> {
  const settings = await Settings.resolve(migrateCatalog, {
    flags: new Map(Object.entries(flags)),
    environment: { CLOUDFLARE_API_TOKEN: 'cfat_'.padEnd(50, '0') },
    answers: new Map(),
    readFile: () => Promise.reject(new Error('nothing to read')),
  })
  return { settings }
}

describe('after init has prepared', () => {
  test('the env file is named where nothing else tells the place', async () => {
    const { settings } = await run({ mediaHost: 'files.example.com' })
    expect(String(afterPrepareLine(settings.entries(), ENV, { isOnR2: false }))).toBe(
      `npx mastodon-r2 migrate --mastodon-env '${ENV}'`,
    )
  })

  test('a place that was given is given again', async () => {
    const { settings } = await run({ mastodonDir: '/srv/live' })
    expect(String(afterPrepareLine(settings.entries(), ENV, { isOnR2: false }))).toBe(
      'npx mastodon-r2 migrate --mastodon-dir /srv/live',
    )
  })

  test('from a bucket on R2 to another one', async () => {
    const { settings } = await run({ mastodonDir: '/srv/live' })
    expect(String(afterPrepareLine(settings.entries(), ENV, { isOnR2: true }))).toBe(
      'npx mastodon-r2 migrate --mastodon-dir /srv/live --from s3',
    )
  })
})

test('the same stage again is unattended, and has all that was said', async () => {
  const line = sameStageLine(await run({ stage: 'cutover', stop: true }), 'cutover')
  expect(String(line)).toBe('npx mastodon-r2 migrate --stop --yes --stage cutover')
})

test('another stage is asked about, and keeps what is said of all of them', async () => {
  const line = otherStageLine(await run({ onlyLocal: true, cleanCache: true }), 'copy')
  expect(String(line)).toBe('npx mastodon-r2 migrate --only-local --stage copy')
})

test('only Super Slurper needs the API token', async () => {
  const line = otherStageLine(await run({ from: 's3', engine: 'super-slurper' }), 'copy')
  expect(String(line)).toContain('CLOUDFLARE_API_TOKEN="$CLOUDFLARE_API_TOKEN"')
})
