import { describe, expect, it, test } from 'vitest'
import type { Installation, ServiceReading } from '../../src/services/mastodon/port.ts'
import { envFile } from '../../src/setup/env-file.ts'
import { lacks, unreached, unreachedBy } from '../../src/setup/reach.ts'
import { ENV, installationOf, knownKey, worldOf } from '../fakes/fake-world.ts'

const wanted = new Map([
  ['S3_ENABLED', 'true'],
  ['S3_PERMISSION', ''],
])

function service(values: Readonly<Record<string, string>>, more: Partial<ServiceReading> = {}) {
  const settings = new Map(
    Object.entries(values).map(([name, value]) => [name, { value, from: ENV }] as const),
  )
  return { name: 'web', role: 'web', envFiles: [ENV], settings, ...more } as const
}

test.each<[what: string, values: Record<string, string>, missing: string[], other: string[]]>([
  ['all there', { S3_ENABLED: 'true', S3_PERMISSION: '' }, [], []],
  ['an empty one missing', { S3_ENABLED: 'true' }, ['S3_PERMISSION'], []],
  ['another value', { S3_ENABLED: 'false', S3_PERMISSION: '' }, [], ['S3_ENABLED']],
  ['none', {}, ['S3_ENABLED', 'S3_PERMISSION'], []],
])('what a service lacks: %s', (_, values, missing, other) => {
  const found = lacks({ services: [service(values)] }, wanted)
  const seen = found.map((one) => [one.missing, one.other.map(({ name }) => name)])
  expect(seen).toEqual(missing.length + other.length > 0 ? [[missing, other]] : [])
})

describe('what compose refuses', () => {
  const compose = (...refused: string[]) => ({ files: [], variableFiles: [], refused, unread: [] })
  const of = (...refused: string[]): Installation =>
    installationOf({ kind: 'docker', composeFile: '/c.yml', compose: compose(...refused) })
  const file = { path: ENV, realPath: ENV }

  it.each<[what: string, now: Installation, after: Installation, code: string | undefined]>([
    ['nothing', of(), of(), undefined],
    ['the env file that will be written', of(`env file ${ENV} not found`), of(), undefined],
    ['something else', of('X is needed'), of(), 'compose-refuses'],
    ['what will be written', of(), of('line 3'), 'compose-refuses'],
  ])('%s', (_, now, after, code) => {
    expect(unreached(now, after, file, wanted)?.code).toBe(code)
  })
})

describe('bytes that are not UTF-8', () => {
  const live = '/home/mastodon/live'
  const of = (kind: 'systemd' | 'docker', path: string, text: string) => {
    const file = { path, realPath: path, exists: true, text, mode: 0o640, writable: true }
    const services = [service({ S3_ENABLED: 'true', S3_PERMISSION: '' })]
    return installationOf({ kind, dir: live, envFiles: [file], services })
  }

  it.each<['systemd' | 'docker', string, string, RegExp | undefined]>([
    ['systemd', `${live}/.env.production`, 'A=1\n# caf\udce9\n', /\.env\.production:2 has a byte/],
    ['systemd', `${live}/.env`, 'B=caf\udce9\n', /\.env:1 has a byte/],
    ['systemd', `${live}/.env.production`, '# café\n', undefined],
    ['systemd', '/etc/mastodon.env', 'A=1\nB=caf\udce9\n', /mastodon\.env:2 has a byte/],
    ['systemd', '/etc/mastodon.env', 'A=1\n# caf\udce9\n', undefined],
    ['docker', `${live}/.env.production`, 'A=caf\udce9\n', undefined],
  ])('%s, %s, %j: Mastodon would not start again', (kind, path, text, what) => {
    const after = of(kind, path, text)
    const problem = unreached(after, after, { path: ENV, realPath: ENV }, wanted)
    expect(problem?.code).toBe(what && 'env-file-not-utf8')
    if (what) expect(problem?.what).toMatch(what)
  })

  it('also where no unit is known', async () => {
    const now = { ...of('systemd', `${live}/.env.production`, '# caf\udce9\n'), services: [] }
    const { envWriter } = worldOf({ installation: now, knownKey })
    const [file] = now.envFiles
    if (!file) throw new Error('No file.')
    const problem = await unreachedBy(now, envWriter, { file, text: file.text }, wanted)
    expect(problem?.code).toBe('env-file-not-utf8')
  })
})

it('the step looks at every service as it will be, before a key is made', async () => {
  const installation = installationOf({ services: [service({})] })
  const world = worldOf({ installation, knownKey })
  const seen: string[] = []
  world.envWriter.preview = async (file, text) => {
    seen.push(file.path, text)
    return installationOf({
      services: [service({ S3_ENABLED: 'false' }, { name: 'mastodon-sidekiq@pull.service' })],
    })
  }
  const finding = await envFile.look(world)
  expect(finding).toMatchObject({ is: 'blocked', problem: { code: 'env-file-not-read', exit: 2 } })
  expect(seen[0]).toBe(ENV)
  expect(seen[1]).toContain('S3_ENABLED=true')
})
