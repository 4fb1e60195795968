import { describe, expect, test } from 'vitest'
import { connectServices, serviceCommands } from '../../../src/services/mastodon/service-control.ts'
import type { PlacedCommand } from '../../../src/services/process/port.ts'
import { BOOT, type FakeProcess, procRoot } from './proc-root.ts'

const units = { web: ['mastodon-web.service'], sidekiq: ['a.service', 'b.service'] }
const none = { web: [], sidekiq: [] }
const init: FakeProcess = { pid: 1, parent: 0, start: 0, argv: '/sbin/init', name: 'systemd' }

describe('commands', () => {
  const lines = (...of: Parameters<typeof serviceCommands>) => {
    const commands = Object.entries(serviceCommands(...of) ?? {})
    const joined = (own: readonly PlacedCommand[]) => own.map(({ line }) => line).join(' && ')
    return Object.fromEntries(commands.map(([name, own]) => [name, joined(own)]))
  }

  test('of systemd', () => {
    expect(lines({ kind: 'systemd', dir: '/live', units, pumaWorkers: true }, true)).toEqual({
      quiet: 'systemctl kill -s TSTP --kill-who=main a.service b.service',
      wake: 'systemctl restart a.service b.service',
      stop: 'systemctl stop mastodon-web.service a.service b.service',
      start: 'systemctl start a.service b.service mastodon-web.service',
      restart:
        'systemctl restart a.service b.service && systemctl reload-or-restart mastodon-web.service',
      reloadWeb: 'systemctl reload-or-restart mastodon-web.service',
    })
  })

  test.each([false, undefined])(
    'a Puma whose workers are not seen (%s) is restarted',
    (workers) => {
      const more = workers === undefined ? {} : { pumaWorkers: workers }
      expect(lines({ kind: 'systemd', dir: '/live', units, ...more }, true)).toMatchObject({
        restart: 'systemctl restart a.service b.service && systemctl restart mastodon-web.service',
        reloadWeb: 'systemctl restart mastodon-web.service',
      })
    },
  )

  test('of units that were not found: patterns only for what runs', () => {
    expect(lines({ kind: 'systemd', dir: '/live', units: none }, false)).toMatchObject({
      quiet: "sudo systemctl kill -s TSTP --kill-who=main 'mastodon-sidekiq*'",
      start: 'sudo systemctl start mastodon-sidekiq.service mastodon-web.service',
      restart:
        "sudo systemctl restart 'mastodon-sidekiq*' && sudo systemctl restart mastodon-web.service",
    })
  })

  test('of containers, made anew even where compose sees no reason', () => {
    const services = [{ name: 'jobs', role: 'sidekiq' as const, envFiles: [], settings: new Map() }]
    const up = 'docker compose up -d --no-deps --force-recreate'
    expect(lines({ kind: 'docker', dir: undefined, units: none, services }, true)).toEqual({
      quiet: 'docker compose kill -s TSTP jobs',
      wake: 'docker compose restart jobs',
      stop: 'docker compose stop web jobs',
      start: `${up} jobs web`,
      restart: `${up} jobs web`,
      reloadWeb: `${up} web`,
    })
  })

  test('none where it is not known how Mastodon is started', () => {
    expect(serviceCommands({ kind: 'none', dir: undefined, units: none }, true)).toBeUndefined()
  })
})

describe('what Sidekiq is at', () => {
  const sidekiq = (pid: number, title: string, unit = 'mastodon-sidekiq.service'): FakeProcess => ({
    pid,
    start: 9,
    argv: title,
    cgroup: `0::/system.slice/${unit}\n`,
  })
  const nobody = () => Promise.reject(new Error('Nobody is to be asked.'))

  test.each<[string, FakeProcess[], unknown]>([
    ['at work', [sidekiq(5, 'sidekiq 7.3.9 live [3 of 25 busy]')], [{ busy: 3, quiet: false }]],
    [
      'at rest, in its own words',
      [sidekiq(5, 'sidekiq 6.5.12 live [0 of 25 busy] stopping')],
      [{ busy: 0, quiet: true }],
    ],
    [
      'several',
      [
        sidekiq(5, 'sidekiq 8.0.1 mastodon [12 of 25 busy] stopping', 'mastodon-sidekiq@1.service'),
        sidekiq(6, 'sidekiq 8.0.1  [0 of 5 busy] quiet', 'a.service'),
      ],
      [
        { busy: 12, quiet: true },
        { busy: 0, quiet: true },
      ],
    ],
    ['of another program', [sidekiq(5, 'sidekiq 7 gitlab [1 of 9 busy]', 'gitlab.service')], []],
    [
      'of this folder',
      [{ ...sidekiq(5, 'sidekiq 7 live [1 of 9 busy]', 'x.service'), cwd: '/live' }],
      [{ busy: 1, quiet: false }],
    ],
    ['none', [sidekiq(5, 'vim sidekiq.yml')], []],
  ])('%s', async (_, processes, expected) => {
    const { root, close } = procRoot([init, ...processes])
    const installation = { kind: 'systemd' as const, dir: '/live', units }
    const now = () => new Date((BOOT + 99) * 1000)
    const port = connectServices({ installation, asRoot: true, ask: nobody, now, procRoot: root })
    expect(await port.sidekiq().finally(close)).toEqual(expected)
  })

  test.each<[string, { exitCode: number; stdout: string } | Error, unknown]>([
    [
      'as its processes are shown',
      {
        exitCode: 0,
        stdout:
          'live-sidekiq-1\nUID PID CMD\n991 1 /usr/bin/tini -- bundle exec sidekiq\n991 7 sidekiq 7.3.9 mastodon [2 of 5 busy] stopping\n',
      },
      [{ busy: 2, quiet: true }],
    ],
    ['that does not run', { exitCode: 0, stdout: '' }, []],
    ['and Docker refuses', { exitCode: 1, stdout: '' }, undefined],
    ['and Docker is not there', new Error('ENOENT'), undefined],
  ])('in a container %s', async (_, answer, expected) => {
    const asked: string[] = []
    const port = connectServices({
      installation: { kind: 'docker', dir: '/srv', units: none },
      asRoot: true,
      now: () => new Date(),
      async ask({ args }, cwd) {
        asked.push(`${args.join(' ')} in ${cwd}`)
        if (answer instanceof Error) throw answer
        return answer
      },
    })
    expect(await port.sidekiq()).toEqual(expected)
    expect(asked).toEqual(['compose top sidekiq in /srv'])
  })
})

test('usual names are not guessed where another Mastodon may have them', () => {
  const units = { web: [], sidekiq: [] }
  const alone = { kind: 'systemd', dir: '/srv/one', units } as const
  expect(serviceCommands(alone, true)).toBeDefined()
  expect(serviceCommands({ ...alone, neighbours: ['/home/mastodon/live'] }, true)).toBeUndefined()
})
