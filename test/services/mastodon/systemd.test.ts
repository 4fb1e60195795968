import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { readSystemdUnit } from '../../../src/services/mastodon/systemd.ts'
import { environmentFilesBelow, findUnits } from '../../../src/services/mastodon/units.ts'
import { scratch, write } from './scratch.ts'

const service = (...lines: string[]) => `[Unit]\nAfter=x\n[Service]\n${lines.join('\n')}\n`

describe('readSystemdUnit', () => {
  test.each<[line: string, environment: Record<string, string>]>([
    ['Environment="RAILS_ENV=production"', { RAILS_ENV: 'production' }],
    ['Environment=A=1 "B=two words" \'C=x y\' D=', { A: '1', B: 'two words', C: 'x y', D: '' }],
    ['Environment="A=say \\"hi\\""', { A: 'say "hi"' }],
    ['Environment=A=1 \\\n  B=2', { A: '1', B: '2' }],
    ['Environment=A=1\nEnvironment=\nEnvironment=B=2', { B: '2' }],
    ['Environment=A=$B', { A: '$B' }],
    ['Environment=A=100%%-%i', { A: '100%-push-a' }],
    [
      'Environment=A=%I B=%n C=%N D=%p E=%j',
      {
        A: 'push/a',
        B: 'mastodon-sidekiq@push-a.service',
        C: 'mastodon-sidekiq@push-a',
        D: 'mastodon-sidekiq',
        E: 'sidekiq',
      },
    ],
    ['Environment=A=%E%S%h', { A: '/etc/var/lib/root' }],
    ['Environment=A=\\x25n', { A: 'mastodon-sidekiq@push-a.service' }],
    ['Environment=A=1 \\\n# between\n; and\n  B=2', { A: '1', B: '2' }],
    ['Environment=A=1\\\n#x\\\nB=2\nEnvironment=C=3', { A: '1', B: '2', C: '3' }],
    ["Environment='A=a\\nb' B=\\x41\\102\\u00e9 C=\\s", { A: 'a\nb', B: 'ABé', C: ' ' }],
    ['Environment=A=1 B=b\\ b C=3', { A: '1' }],
    ["Environment=A=1 B=it's C=3", { A: '1' }],
    ['Environment=A="x"y\'z \'', { A: 'xyz ' }],
    ['Environment=1A=x "B C=y" D=z', { D: 'z' }],
    ['  Environment = A=1', { A: '1' }],
    ['# Environment=A=1', {}],
  ])('%j', (line, environment) => {
    const unit = readSystemdUnit([service(line)], 'mastodon-sidekiq@push-a.service')
    expect(Object.fromEntries(unit.environment)).toEqual(environment)
  })

  it('takes only the Service section, and drop-ins on top', () => {
    const main = `${service('WorkingDirectory=/a', 'EnvironmentFile=-/etc/one')}[X]\nExecStart=no`
    const unit = readSystemdUnit([
      main,
      service('WorkingDirectory=-/b', 'EnvironmentFile=/etc/two', 'UnsetEnvironment=A "B"'),
    ])
    expect(unit).toMatchObject({
      workingDirectory: '/b',
      execStart: '',
      environmentFiles: ['/etc/one', '/etc/two'],
      unset: ['A', 'B'],
    })
    expect(readSystemdUnit([main, service('EnvironmentFile=')]).environmentFiles).toEqual([])
  })

  it.each(['etc/one', '"/etc/one"', '/etc/../etc/one', '-etc/one', '~/one'])(
    'passes over EnvironmentFile=%s, as systemd does',
    (path) => {
      expect(readSystemdUnit([service(`EnvironmentFile=${path}`)]).environmentFiles).toEqual([])
    },
  )
})

describe('environmentFilesBelow', () => {
  const root = write(scratch(), {
    'etc/mastodon/20-b.env': '',
    'etc/mastodon/10-a.env': '',
    'etc/mastodon/.hidden.env': '',
    'etc/mastodon/x.conf': '',
    'etc/other/10-a.env': '',
    'etc/with space': '',
  })

  it.each<[path: string, files: readonly string[]]>([
    ['/etc/mastodon/*.env', ['/etc/mastodon/10-a.env', '/etc/mastodon/20-b.env']],
    ['/etc/*/10-?.env', ['/etc/mastodon/10-a.env', '/etc/other/10-a.env']],
    ['/etc/mastodon/[!1]0-[a-c].env', ['/etc/mastodon/20-b.env']],
    ['/etc/mastodon/.h*', ['/etc/mastodon/.hidden.env']],
    ['/etc/mastodon/*.none', []],
    ['/etc/mastodon/[z-a]*', []],
    ['/etc/with space', ['/etc/with space']],
    ['/etc/none', ['/etc/none']],
  ])('%s', async (path, files) => {
    const found = await environmentFilesBelow(root, { environmentFiles: [path] })
    expect(found).toEqual(files.map((file) => join(root, file)))
  })
})

describe('findUnits', () => {
  const names = async (root: string) => (await findUnits(root)).map(({ name }) => name)

  it('finds web and sidekiq, templates by their instances', async () => {
    const root = write(scratch(), {
      'etc/systemd/system/mastodon-web.service': service(),
      'etc/systemd/system/mastodon-streaming.service': service(),
      'etc/systemd/system/mastodon-sidekiq@.service': service('Environment=QUEUE=%i'),
      'etc/systemd/system/multi-user.target.wants/mastodon-sidekiq@push.service': '',
      'etc/systemd/system/multi-user.target.wants/mastodon-sidekiq@mail.service': '',
      'lib/systemd/system/mastodon-sidekiq-pull.service': service(),
      'lib/systemd/system/mastodon-web.service': service('WorkingDirectory=/hidden'),
      'etc/systemd/system/mastodon__2-web.service': service(),
    })
    const units = await findUnits(root)
    expect(units.map(({ name, part }) => [name, part])).toEqual([
      ['mastodon-sidekiq-pull.service', 'sidekiq'],
      ['mastodon-sidekiq@mail.service', 'sidekiq'],
      ['mastodon-sidekiq@push.service', 'sidekiq'],
      ['mastodon-web.service', 'web'],
      ['mastodon__2-web.service', 'web'],
    ])
    expect(units[1]?.environment.get('QUEUE')).toBe('mail')
    expect(units[3]?.workingDirectory).toBeUndefined()
  })

  it('leaves out masked units and those that start containers', async () => {
    const root = write(scratch(), {
      'etc/systemd/system/mastodon-web.service': service('ExecStart=/usr/bin/docker compose up'),
      'etc/systemd/system/mastodon-sidekiq-a.service': '',
    })
    symlinkSync('/dev/null', join(root, 'etc/systemd/system/mastodon-sidekiq.service'))
    expect(await names(root)).toEqual([])
  })

  it('applies drop-ins by file name, the more special folder first', async () => {
    const root = write(scratch(), {
      'lib/systemd/system/mastodon-web@.service': service('Environment=A=unit'),
      'lib/systemd/system/x.wants/mastodon-web@1.service': '',
      'lib/systemd/system/mastodon-web@.service.d/20-b.conf': service('Environment=B=template'),
      'etc/systemd/system/mastodon-web@1.service.d/20-b.conf': service('Environment=B=instance'),
      'etc/systemd/system/mastodon-.service.d/10-a.conf': service('Environment=A=prefix B=prefix'),
      'etc/systemd/system/service.d/30-c.conf': service('Environment=C=all'),
      'etc/systemd/system/mastodon-web@1.service.d/README': service('Environment=C=no'),
    })
    const [unit] = await findUnits(root)
    expect(Object.fromEntries(unit?.environment ?? [])).toEqual({
      A: 'prefix',
      B: 'instance',
      C: 'all',
    })
  })

  it('of two drop-ins of one name takes that of the winning folder, then the more special', async () => {
    const root = write(scratch(), {
      'etc/systemd/system/mastodon-web@.service': service('Environment=A=unit'),
      'etc/systemd/system/x.wants/mastodon-web@1.service': '',
      'etc/systemd/system/mastodon-.service.d/a.conf': service('Environment=A=prefix-etc'),
      'usr/lib/systemd/system/mastodon-web@1.service.d/a.conf': service('Environment=A=instance'),
      'run/systemd/system/mastodon-.service.d/b.conf': service('Environment=B=prefix'),
      'run/systemd/system/mastodon-web@.service.d/b.conf': service('Environment=B=template'),
      'etc/systemd/system/service.d/c.conf': service('Environment=C=all'),
      'usr/lib/systemd/system/mastodon-.service.d/c.conf': service('Environment=C=prefix'),
      'etc/systemd/system/mastodon-@.service.d/d.conf': service('Environment=D=none'),
    })
    const [unit] = await findUnits(root)
    expect(Object.fromEntries(unit?.environment ?? [])).toEqual({
      A: 'prefix-etc',
      B: 'template',
      C: 'prefix',
    })
  })

  it('finds nothing on a machine without systemd', async () => {
    const root = scratch()
    mkdirSync(join(root, 'etc'))
    expect(await names(root)).toEqual([])
  })
})
