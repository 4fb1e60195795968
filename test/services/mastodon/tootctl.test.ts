import { chownSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectTootctl } from '../../../src/services/mastodon/tootctl.ts'
import { scratch, write } from './scratch.ts'

const folder = scratch()
const home = join(folder, 'mastodon')
const dir = join(home, 'live')
mkdirSync(join(home, '.rbenv/shims'), { recursive: true })
mkdirSync(dir)
const { uid } = statSync(dir)
write(folder, {
  rbenv: `mastodon:x:${uid}:991::${home}:/bin/bash\n`,
  plain: `root:x:99999:0::/root:/bin/sh\nmastodon:x:${uid}:991::/opt/none:/bin/bash\n`,
  nobody: '',
})
const args = ['media', 'remove', '--days', '7']
const shims = `PATH=${home}/.rbenv/shims:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`

test.each<[string, { asRoot: boolean; own: boolean; passwd: string }, string]>([
  [
    'its own user',
    { asRoot: false, own: true, passwd: 'plain' },
    `cd ${dir} && RAILS_ENV=production bin/tootctl media remove --days 7`,
  ],
  [
    'its own user with rbenv',
    { asRoot: false, own: true, passwd: 'rbenv' },
    `cd ${dir} && RAILS_ENV=production ${shims} bin/tootctl media remove --days 7`,
  ],
  [
    'root',
    { asRoot: true, own: false, passwd: 'rbenv' },
    `cd ${dir} && runuser -u mastodon -- env HOME=${home} RAILS_ENV=production ${shims} bin/tootctl media remove --days 7`,
  ],
  [
    'root, and an owner without a name',
    { asRoot: true, own: false, passwd: 'nobody' },
    `sudo -u '#${uid}' env -C ${dir} RAILS_ENV=production bin/tootctl media remove --days 7`,
  ],
  [
    'somebody else, who may not enter the folder',
    { asRoot: false, own: false, passwd: 'plain' },
    `sudo -u mastodon env -C ${dir} HOME=/opt/none RAILS_ENV=production bin/tootctl media remove --days 7`,
  ],
  [
    'no list of accounts',
    { asRoot: false, own: true, passwd: 'missing' },
    `cd ${dir} && RAILS_ENV=production bin/tootctl media remove --days 7`,
  ],
])('run by %s', (_, { asRoot, own, passwd }, line) => {
  const port = connectTootctl(
    { kind: 'systemd', dir },
    { asRoot, userId: own ? uid : uid + 1, passwd: join(folder, passwd) },
  )
  const placed = port.command(args)
  expect(placed?.line).toBe(line)
  expect(placed?.cwd).toBe(line.startsWith('cd') ? dir : undefined)
})

test('in a container of the web service', () => {
  const services = [
    { name: 'jobs', role: 'sidekiq' as const, envFiles: [], settings: new Map() },
    { name: 'puma', role: 'web' as const, envFiles: [], settings: new Map() },
  ]
  const port = connectTootctl({ kind: 'docker', dir: '/srv/it is', services }, { asRoot: true })
  expect(port.command(args)?.line).toBe(
    "cd '/srv/it is' && docker compose run --rm -T puma bin/tootctl media remove --days 7",
  )
  const unnamed = connectTootctl({ kind: 'docker', dir: '/srv' }, { asRoot: true })
  expect(unnamed.command(['version'])?.line).toContain('-T web bin/tootctl version')
})

test('nowhere without a Mastodon', () => {
  const port = connectTootctl({ kind: 'none', dir: undefined }, { asRoot: true })
  expect(port.command(args)).toBeUndefined()
})

test.runIf(process.geteuid?.() === 0)('the owner of the folder counts, not who runs it', () => {
  const other = join(folder, 'other')
  mkdirSync(other)
  chownSync(other, 4711, 4711)
  write(folder, { passwd: 'social:x:4711:4711::/srv/social:/bin/sh\n' })
  const options = { asRoot: true, userId: 0, passwd: join(folder, 'passwd') }
  const port = connectTootctl({ kind: 'systemd', dir: other }, options)
  expect(port.command(['version'])?.command.args.slice(0, 3)).toEqual(['-u', 'social', '--'])
})
