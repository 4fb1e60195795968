import { describe, expect, test } from 'vitest'
import { runningContainers } from '../../../src/services/mastodon/containers.ts'
import type { Command } from '../../../src/services/process/port.ts'

const created = '2026-11-22T10:00:00.123456789Z'
const line = (name: string, command: string[] | null, service?: string) =>
  JSON.stringify({
    name: `/${name}`,
    created,
    command,
    labels: service === undefined ? null : { 'com.docker.compose.service': service },
  })

function docker(lines: readonly string[], codes: readonly number[] = [0, 0]) {
  const asked: string[] = []
  const ask = async ({ program, args }: Command, cwd: string | undefined) => {
    asked.push(`${cwd}: ${program} ${args.filter((arg) => !arg.startsWith('{')).join(' ')}`)
    const isList = args[0] === 'compose'
    const stdout = isList
      ? lines.map((_, index) => `id${index}\n`).join('')
      : `${lines.join('\n')}\n`
    return { exitCode: codes[isList ? 0 : 1], stdout }
  }
  return { asked, ask }
}

describe('containers', () => {
  const puma = ['bundle', 'exec', 'puma', '-C', 'config/puma.rb']

  test.each<[string, string, unknown]>([
    ['web by its command', line('live-app-1', puma, 'app'), ['web', 'container live-app-1']],
    ['web by its service', line('live-web-1', null, 'web'), ['web', 'container live-web-1']],
    ['sidekiq', line('s-1', ['bundle', 'exec', 'sidekiq'], 'worker'), ['sidekiq', 'container s-1']],
    [
      'streaming',
      line('t-1', ['node', './streaming'], 'streaming'),
      ['streaming', 'container t-1'],
    ],
    ['the database', line('db-1', ['postgres'], 'db'), undefined],
    ['without labels', line('x-1', null), undefined],
  ])('%s', async (_, told, expected) => {
    const { ask, asked } = docker([told])
    const [found] = (await runningContainers({ dir: '/srv/m' }, ask)) ?? []
    expect(found && [found.role, found.name]).toEqual(expected)
    if (found) expect(found.startedAt).toEqual(new Date(created))
    expect(asked).toEqual([
      '/srv/m: docker compose ps --quiet',
      '/srv/m: docker inspect --type=container --format id0',
    ])
  })

  test('none', async () => {
    expect(await runningContainers({ dir: '/srv/m' }, docker([]).ask)).toEqual([])
  })

  test.each([
    ['ps fails', [1, 0]],
    ['inspect fails', [0, 1]],
  ])('unknown when %s', async (_, codes) => {
    expect(
      await runningContainers({ dir: '/srv/m' }, docker([line('a', puma)], codes).ask),
    ).toBeUndefined()
  })

  test('unknown when there is no docker', async () => {
    const none = () => Promise.reject(new Error('missing'))
    expect(await runningContainers({ dir: '/srv/m' }, none)).toBeUndefined()
  })

  test('the environment, where the keys stand, is not asked for', async () => {
    const formats: string[] = []
    await runningContainers({ dir: undefined }, async ({ args }) => {
      formats.push(...args)
      return { exitCode: 0, stdout: 'id\n' }
    })
    expect(formats.join(' ')).not.toMatch(/Env|json \.\}|json \.Config\}/)
  })
})
