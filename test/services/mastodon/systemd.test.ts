import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { findUnits, readSystemdUnit } from '../../../src/services/mastodon/systemd.ts'
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
    ['Environment=A=100%%-%i', { A: '100%-7' }],
    ['  Environment = A=1', { A: '1' }],
    ['# Environment=A=1', {}],
  ])('%j', (line, environment) => {
    const unit = readSystemdUnit([service(line)], '7')
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

  it('finds nothing on a machine without systemd', async () => {
    const root = scratch()
    mkdirSync(join(root, 'etc'))
    expect(await names(root)).toEqual([])
  })
})
