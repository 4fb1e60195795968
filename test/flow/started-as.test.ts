import { expect, test } from 'vitest'
import { overview } from '../../src/commands.ts'
import { startedAs } from '../../src/host.ts'

test.each([
  ['npx', ['/usr/bin/node', '/root/.npm/_npx/1/node_modules/.bin/mastodon-r2'], 'node'],
  ['a clone', ['/usr/bin/node', '/srv/clone/dist/cli.js'], '/usr/bin/node'],
])('started by Node (%s), the lines to type go through npx', (_, argv, argv0) => {
  expect(startedAs({ argv, argv0 })).toEqual(['npx', 'mastodon-r2'])
})

test.each(['./mastodon-r2-linux-x64', '/opt/r2', 'mastodon-r2'])(
  'the single file is started again as it was: %s',
  (argv0) => {
    expect(startedAs({ argv: ['/opt/mastodon-r2-linux-x64', argv0, 'check'], argv0 })).toEqual([
      argv0,
    ])
  },
)

test('the first page of the single file has its name, and no rehearsal, which it can not do', () => {
  const host = { version: '1.2.3', homepage: 'https://example.com', program: ['./my r2'] }
  const page = overview(host, 80)
  expect(page).toContain('Start with:  ./my\\ r2 init')
  expect(page).not.toMatch(/npx|--sandbox/)
})
