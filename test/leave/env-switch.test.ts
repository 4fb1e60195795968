import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { toType } from '../../src/core/to-type.ts'
import { envSwitch, type Switching } from '../../src/leave/env-switch.ts'
import type { Leaving } from '../../src/leave/leaving.ts'
import { otherS3 } from '../../src/leave/other-s3.ts'
import { editEnvFile } from '../../src/services/mastodon/env-edit.ts'
import { readStatements } from '../../src/services/mastodon/env-text.ts'
import type { Installation } from '../../src/services/mastodon/port.ts'
import type { RclonePort } from '../../src/services/rclone/port.ts'
import { newProvider } from '../../src/setup/new-provider.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'
import { ENV, envFileOf, installationOf, worldOf } from '../fakes/fake-world.ts'

const given = {
  S3_BUCKET: 'next',
  S3_ENDPOINT: 'https://s3.example.net',
  S3_HOSTNAME: 's3.example.net',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'a-secret-key',
}
const onR2 = `S3_ENABLED=true
S3_BUCKET=media
S3_ENDPOINT=https://r2.example
S3_PERMISSION=
S3_ALIAS_HOST=files.example.com
AWS_ACCESS_KEY_ID=old
AWS_SECRET_ACCESS_KEY=old-secret
`
const WEB = 'mastodon-web.service'
const UNIT = `systemd unit ${WEB}`
const COMPOSE = '/srv/docker-compose.yml'

type Values = Readonly<Record<string, string>>

interface Situation {
  readonly lines?: Values
  readonly text?: string
  readonly kind?: Installation['kind']
  /** What one service is given over the env file, as it is now and as it will be. */
  readonly over?: (settings: Readonly<Record<string, string | undefined>>) => Values
  readonly from?: string
}

/** Mastodon as it is read with this text in its env file. */
function reading(text: string, { over, from = UNIT, kind = 'systemd' }: Situation): Installation {
  const file = envFileOf(text)
  const values = readStatements(text).filter(({ active }) => active)
  const settings = new Map(values.map(({ key, value }) => [key, { value, from: ENV }]))
  const own = new Map(settings)
  const named = Object.fromEntries(values.map(({ key, value }) => [key, value]))
  for (const [name, value] of Object.entries(over?.(named) ?? {})) own.set(name, { value, from })
  const services = [
    { name: WEB, role: 'web' as const, envFiles: [ENV], settings: own },
    { name: 'sidekiq', role: 'sidekiq' as const, envFiles: [ENV], settings },
  ]
  return installationOf({ kind, envFile: file, envFiles: [file], settings, services })
}

async function looking(situation: Situation = {}) {
  const { lines = {}, text = onR2 } = situation
  const provider = newProvider(new Map(Object.entries({ ...given, ...lines })), 'next.env')
  const s3 = new FakeS3()
  const rclone = { contentType: () => 'image/png' } as unknown as RclonePort
  const installation = reading(text, situation)
  const there = otherS3({ provider, s3, rclone, installation, mediaHost: 'files.example.com' })
  const leaving: Leaving = {
    bucket: () => s3,
    from: {
      ...{ kind: 'bucket', endpoint: 'https://r2.example', bucket: 'media', region: 'auto' },
      ...{ provider: 'Cloudflare', key: { accessKeyId: 'id', secretAccessKey: new Secret('x') } },
    },
    ...{ there, installation, isSwitched: false, complete: { until: undefined }, rclone },
    ...{ transfers: undefined, hidden: async () => new Set<string>() },
    signal: new AbortController().signal,
    lineFor: (stage) => toType('leave', { stage }),
    ...{ tell: () => undefined, say: () => undefined, note: () => undefined },
  }
  const switching = { readEnvFile: async () => installation.envFile } as unknown as Switching
  const world = worldOf({ installation })
  world.envWriter.edit = (before, set, retire) => editEnvFile(before, { set, retire })
  world.envWriter.preview = async (_, after) => reading(after, situation)
  const finding = await envSwitch(leaving, switching).look(world)
  return finding.is === 'blocked' ? finding.problem : finding
}

describe('what is of R2 and stands elsewhere, too', () => {
  test('nothing of the kind', async () => {
    expect(await looking()).toMatchObject({ is: 'change' })
  })

  test.each<[what: string, situation: Situation, names: string]>([
    [
      'a unit of one service',
      { over: () => ({ S3_ALIAS_HOST: 'files.example.com' }) },
      `${UNIT} sets S3_ALIAS_HOST.`,
    ],
    [
      'that alone has it',
      {
        text: onR2.replace(/^S3_ALIAS_HOST.*\n/m, ''),
        over: () => ({ S3_ALIAS_HOST: 'files.example.com', S3_KEY_PREFIX: 'x' }),
      },
      `${UNIT} sets S3_ALIAS_HOST, S3_KEY_PREFIX.`,
    ],
    [
      'a compose file with a value',
      { kind: 'docker', from: COMPOSE, over: () => ({ S3_STORAGE_CLASS: 'STANDARD_IA' }) },
      `${COMPOSE} sets S3_STORAGE_CLASS.`,
    ],
    [
      'a compose file that fills in nothing then: an empty one is there all the same',
      {
        kind: 'docker',
        from: COMPOSE,
        over: ({ S3_ALIAS_HOST = '' }) => ({ S3_ALIAS_HOST }),
      },
      `${COMPOSE} sets S3_ALIAS_HOST.`,
    ],
  ])('%s', async (_, situation, words) => {
    const problem = await looking(situation)
    expect(problem).toMatchObject({ code: 'setting-of-r2-stays', exit: 2 })
    expect(problem).toMatchObject({ why: expect.stringContaining(words) })
  })

  test.each<[what: string, situation: Situation]>([
    [
      'an empty one that R2 was used with',
      { kind: 'docker', from: COMPOSE, over: () => ({ S3_KEY_PREFIX: '' }) },
    ],
    [
      'what is passed over beside an alias host',
      {
        lines: { S3_HOSTNAME: '', S3_ALIAS_HOST: 'next.example.com' },
        over: () => ({ S3_CLOUDFRONT_HOST: 'x.example', S3_HOSTNAME: 'y.example' }),
      },
    ],
    [
      'what a compose file fills in from this file',
      {
        kind: 'docker',
        from: COMPOSE,
        over: ({ S3_HOSTNAME = '', S3_BUCKET = '' }) => ({ S3_HOSTNAME, S3_BUCKET }),
      },
    ],
  ])('does not matter: %s', async (_, situation) => {
    expect(await looking(situation)).toMatchObject({ is: 'change' })
  })
})

test('a service that is given another bucket is told of', async () => {
  const problem = await looking({ over: () => ({ S3_BUCKET: 'media' }) })
  expect(problem).toMatchObject({ code: 'env-file-not-read', exit: 2 })
})
