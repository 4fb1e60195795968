import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Installation } from '../../../src/services/mastodon/port.ts'
import { connectProcesses, hasPumaWorkers } from '../../../src/services/mastodon/processes.ts'
import { BOOT, type FakeProcess, procRoot } from './proc-root.ts'

const init: FakeProcess = { pid: 1, parent: 0, start: 0, argv: '/sbin/init', name: 'systemd' }
const unit = (name: string) => `0::/system.slice/${name}\n`
const web = unit('mastodon-web.service')
const live = '/home/mastodon/live'

async function running(
  processes: readonly FakeProcess[],
  after = 9_999,
  services: Installation['services'] = [],
) {
  const { root, close } = procRoot(processes)
  try {
    const port = connectProcesses({
      installation: {
        kind: 'systemd',
        dir: live,
        units: { web: ['social.service'], sidekiq: [] },
        services,
      },
      ask: () => Promise.reject(new Error('Nobody is to be asked.')),
      now: () => new Date((BOOT + after) * 1000),
      procRoot: root,
    })
    const found = await port.running()
    return found?.map(({ role, name, startedAt, below }) => {
      const start = startedAt.getTime() / 1000 - BOOT
      return [
        role,
        name,
        start,
        ...(below ? [below.startedAt.getTime() / 1000 - BOOT, below.workers, below.spreadMs] : []),
      ]
    })
  } finally {
    close()
  }
}

describe('what runs', () => {
  const master: FakeProcess = {
    pid: 10,
    start: 100,
    argv: 'puma 6.6.0 (tcp://127.0.0.1:3000) [live]',
    cgroup: web,
  }
  const worker = (pid: number, start: number, more: Partial<FakeProcess> = {}): FakeProcess => ({
    pid,
    parent: 10,
    start,
    argv: `puma: cluster worker ${pid - 11}: 10 [live]`,
    cgroup: web,
    ...more,
  })

  test.each<[string, FakeProcess[], unknown]>([
    ['Puma alone', [master], [['web', 'mastodon-web.service', 100]]],
    [
      'Puma with workers: the oldest counts',
      [master, worker(11, 530), worker(12, 500)],
      [['web', 'mastodon-web.service', 500, 100, 2, 30_000]],
    ],
    [
      'somebody else’s workers are not counted',
      [master, worker(11, 500, { parent: 99 })],
      [['web', 'mastodon-web.service', 100]],
    ],
    [
      'a Sidekiq of a template',
      [
        {
          pid: 20,
          start: 7,
          argv: 'sidekiq 7.3.9 live [0 of 5 busy]',
          cgroup:
            '0::/system.slice/system-mastodon\\x2dsidekiq.slice/mastodon-sidekiq@default.service\n',
        },
      ],
      [['sidekiq', 'mastodon-sidekiq@default.service', 7]],
    ],
    [
      'a unit of another name, which the installation knows',
      [{ ...master, cgroup: unit('social.service') }],
      [['web', 'social.service', 100]],
    ],
    [
      'cgroup version 1',
      [{ ...master, cgroup: '5:cpu:/\n1:name=systemd:/system.slice/mastodon-web.service\n' }],
      [['web', 'mastodon-web.service', 100]],
    ],
    [
      'started by hand in Mastodon’s folder',
      [{ pid: 30, start: 8, argv: '/usr/bin/ruby3.3 bin/bundle exec sidekiq -c 5', cwd: live }],
      [['sidekiq', 'pid 30', 8]],
    ],
    [
      'streaming',
      [
        {
          pid: 40,
          start: 8,
          argv: '/usr/bin/node ./streaming',
          cgroup: unit('mastodon-streaming.service'),
        },
      ],
      [['streaming', 'mastodon-streaming.service', 8]],
    ],
    [
      'another Rails app',
      [{ ...master, cgroup: unit('gitlab-puma.service'), cwd: '/opt/gitlab' }],
      [],
    ],
    ['an editor', [{ pid: 50, start: 8, argv: 'vim config/puma.rb', cwd: live }], []],
    ['a shell that talks of it', [{ pid: 51, start: 8, argv: 'grep puma x', cwd: live }], []],
    ['one that has ended', [{ ...master, state: 'Z' }], []],
    [
      'a name with blanks and parentheses',
      [{ ...master, name: 'puma) R 1 (' }],
      [['web', 'mastodon-web.service', 100]],
    ],
    ['nothing', [], []],
  ])('%s', async (_, processes, expected) => {
    expect(await running([init, ...processes])).toEqual(expected)
  })
})

test('a Puma that systemd hands its settings to keeps them over a reload: its own start counts', async () => {
  const puma = { pid: 10, start: 100, argv: 'puma 8.0.2 [live]', cgroup: web }
  const worker = { pid: 11, parent: 10, start: 500, argv: 'puma: cluster worker 0: 10 [live]' }
  const all = [init, puma, worker]
  const service = { name: 'mastodon-web.service', role: 'web' as const, envFiles: [] }
  const services = [{ ...service, settings: new Map(), isHanded: true as const }]
  expect(await running(all, 9_999, services)).toEqual([['web', 'mastodon-web.service', 100]])
  const { root, close } = procRoot(all)
  const installation = { kind: 'systemd' as const, dir: live, units: { web: [], sidekiq: [] } }
  const how = { now: () => new Date((BOOT + 9_999) * 1000), procRoot: root }
  expect(await hasPumaWorkers({ ...installation, services }, how)).toBe(false)
  close()
})

describe('what can’t be seen', () => {
  test('others’ processes are hidden', async () => {
    expect(await running([{ ...init, pid: 77 }])).toBeUndefined()
  })

  test('start times of another clock', async () => {
    expect(await running([init, { ...init, pid: 5, start: 10_000 }], 9_000)).toBeUndefined()
  })

  test('no /proc at all', async () => {
    const port = connectProcesses({
      installation: { kind: 'none', dir: undefined, units: { web: [], sidekiq: [] } },
      ask: () => Promise.reject(new Error('Nobody is to be asked.')),
      now: () => new Date(),
      procRoot: join(tmpdir(), 'mastodon-r2-no-proc'),
    })
    expect(await port.running()).toBeUndefined()
  })
})

test('when a file changed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mastodon-r2-mtime-'))
  try {
    const path = join(dir, 'env')
    writeFileSync(path, '')
    const at = new Date('2026-01-02T03:04:05Z')
    utimesSync(path, at, at)
    const port = connectProcesses({
      installation: { kind: 'none', dir: undefined, units: { web: [], sidekiq: [] } },
      ask: () => Promise.reject(new Error('Nobody is to be asked.')),
      now: () => new Date(),
    })
    expect(await port.changedAt(path)).toEqual(at)
    expect(await port.changedAt(join(dir, 'none'))).toBeUndefined()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('the real /proc shows this very test', async () => {
  const { readProcesses } = await import('../../../src/services/mastodon/processes.ts')
  const all = await readProcesses('/proc', new Date())
  const own = all?.find(({ pid }) => pid === process.pid)
  const age = (Date.now() - (own?.startedAt.getTime() ?? 0)) / 1000
  expect(age).toBeGreaterThan(process.uptime() - 2)
  expect(age).toBeLessThan(process.uptime() + 3)
})

test.each<[string, readonly FakeProcess[], boolean]>(
  [
    ['a Puma with workers', ['puma 8.0.2 [live]', 'puma: cluster worker 0: 10 [live]'], true],
    ['a Puma without', ['puma 8.0.2 [live]'], false],
    ['no Puma', ['sidekiq 8.1.6 live [0 of 5 busy]'], false],
  ].map(([name, titles, expected]) => {
    const all = (titles as string[]).map((argv, at) => {
      return { pid: 10 + at, parent: at === 0 ? 1 : 10, start: 100, argv, cgroup: web }
    })
    return [name as string, [init, ...all], expected as boolean]
  }),
)('%s: a reload can be proven, %#', async (_, processes, expected) => {
  const { root, close } = procRoot(processes)
  const installation = { kind: 'systemd' as const, dir: live, units: { web: [], sidekiq: [] } }
  const now = () => new Date((BOOT + 9_999) * 1000)
  expect(await hasPumaWorkers(installation, { now, procRoot: root })).toBe(expected)
  close()
})

describe('another Mastodon on the same machine', () => {
  const other = '/var/www/mastodon__2/live'
  const sidekiq: FakeProcess = { pid: 20, start: 7, argv: 'sidekiq 7.3.9 live [0 of 5 busy]' }

  test.each<[what: string, process: FakeProcess, units: string[], isOwn: boolean]>([
    [
      'its unit, in its folder',
      { ...sidekiq, cgroup: unit('mastodon__2-sidekiq.service'), cwd: other },
      [],
      false,
    ],
    [
      'a usual name, in its folder',
      { ...sidekiq, cgroup: unit('mastodon-sidekiq.service'), cwd: other },
      [],
      false,
    ],
    [
      'our folder, by whatever unit',
      { ...sidekiq, cgroup: unit('social.service'), cwd: live },
      [],
      true,
    ],
    [
      'our unit, started in a folder that is gone',
      { ...sidekiq, cgroup: unit('mastodon-sidekiq.service'), cwd: `${live} (deleted)` },
      ['mastodon-sidekiq.service'],
      true,
    ],
    [
      'a name, where the folder is hidden',
      { ...sidekiq, cgroup: unit('mastodon-sidekiq.service') },
      [],
      true,
    ],
    [
      'a container with a folder of that name',
      { ...sidekiq, cgroup: '0::/system.slice/docker-0123.scope\n', cwd: live },
      [],
      false,
    ],
  ])('%s', async (_, process, sidekiqs, isOwn) => {
    const { root, close } = procRoot([init, process])
    try {
      const port = connectProcesses({
        installation: { kind: 'systemd', dir: live, units: { web: [], sidekiq: sidekiqs } },
        ask: () => Promise.reject(new Error('Nobody is to be asked.')),
        now: () => new Date((BOOT + 9_999) * 1000),
        procRoot: root,
      })
      expect(await port.running()).toHaveLength(isOwn ? 1 : 0)
    } finally {
      close()
    }
  })
})
