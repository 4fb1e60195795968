import { expect, test } from 'vitest'
import type { Search } from '../../../src/services/mastodon/find.ts'
import { declaredElsewhere } from '../../../src/setup/choose.ts'
import { search, versionRb } from './machine.ts'

const store = 'nix/store/abc-mastodon-4.6.5'
const unit = (...lines: string[]) =>
  `[Service]\nWorkingDirectory=/${store}\nExecStart=/${store}/bin/puma -C config/puma.rb\n${lines.map((line) => `${line}\n`).join('')}`
const nixos = {
  [`${store}/lib/mastodon/version.rb`]: versionRb,
  'etc/systemd/system/mastodon-web.service': unit('EnvironmentFile=/var/lib/mastodon/r2.env'),
  'var/lib/mastodon/r2.env': 'OTHER=x\n',
}
const quadlet = {
  'etc/containers/systemd/mastodon-web.container':
    '[Container]\nImage=ghcr.io/mastodon/mastodon:v4.6.5\nEnvironmentFile=/srv/m.env\n',
  'srv/m.env': 'LOCAL_DOMAIN=x.example\n',
}
const postgres = { 'etc/containers/systemd/db.container': '[Container]\nImage=postgres\n' }

test.each<
  [
    what: string,
    files: Record<string, string>,
    options: Partial<Search>,
    by: string | undefined,
    word: string,
  ]
>([
  ['NixOS', nixos, {}, 'nixos', '--print --format nixos'],
  [
    'NixOS, with a file that it reads',
    nixos,
    { envFile: 'var/lib/mastodon/r2.env' },
    undefined,
    '',
  ],
  [
    'a pod',
    { 'tmp/.env.production': '' },
    { environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } },
    'kubernetes',
    '--print --format helm',
  ],
  ['a quadlet', quadlet, {}, 'quadlet', '--mastodon-env'],
  ['a quadlet, with its file named', quadlet, { envFile: 'srv/m.env' }, undefined, ''],
  ['a quadlet of something else', postgres, {}, undefined, ''],
])('%s', async (_, files, options, by, word) => {
  const { declared } = (await search(files, options)).found
  expect(declared?.by).toBe(by)
  if (declared === undefined) return
  const { code, exit, next } = declaredElsewhere(declared)
  expect({ code, exit }).toEqual({ code: 'settings-declared', exit: 2 })
  expect(String(next)).toContain(word)
})
