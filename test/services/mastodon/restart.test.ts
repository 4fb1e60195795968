import { expect, test } from 'vitest'
import { restartCommands } from '../../../src/services/mastodon/service-control.ts'

const none = { web: [], sidekiq: [] }
type Kind = 'systemd' | 'docker' | 'none'

test.each<[string, Kind, { web: string[]; sidekiq: string[] }, boolean, string[]]>([
  [
    'units by name',
    'systemd',
    {
      web: ['mastodon-web.service'],
      sidekiq: ['mastodon-sidekiq@1.service', 'mastodon-sidekiq@2.service'],
    },
    true,
    [
      'systemctl restart mastodon-sidekiq@1.service mastodon-sidekiq@2.service',
      'systemctl restart mastodon-web.service',
    ],
  ],
  [
    'units not found, not root',
    'systemd',
    none,
    false,
    ["sudo systemctl restart 'mastodon-sidekiq*'", 'sudo systemctl restart mastodon-web.service'],
  ],
  [
    'containers',
    'docker',
    none,
    true,
    ["cd '/srv/it is' && docker compose up -d --no-deps --force-recreate sidekiq web"],
  ],
  ['not known', 'none', none, true, []],
])('%s', (_, kind, units, asRoot, expected) => {
  const commands = restartCommands({ kind, dir: '/srv/it is', units }, { asRoot })
  expect(commands.map(({ line }) => line)).toEqual(expected)
  expect(commands.map(({ cwd }) => cwd)).toEqual(
    expected.map(() => (kind === 'docker' ? '/srv/it is' : undefined)),
  )
})
