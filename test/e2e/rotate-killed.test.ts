import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import type { Fault } from '../../src/sandbox/world.ts'
import { fakeServices } from '../fakes/fake-services.ts'
import { openStage, until } from './stage.ts'
import { settingsOf } from './storage-lines.ts'

const stage = await openStage({ emulator: 'eager', domainMs: 0, keyMs: 0 })
const source = { 'lib/mastodon/version.rb': '', 'public/packs/manifest.json': '{}' }
const at = stage.machine(undefined, source)
const { code } = await stage.initHere(at)
if (code !== 0) throw new Error('The setup failed.')
const fake = fakeServices(at)
afterAll(async () => {
  fake.stop()
  await stage.close()
})

const args = ['rotate', '--yes', '--restart', 'run', '--grace', '0s']

function expectWorkingKey() {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = settingsOf(at.read())
  const token = stage.sandbox.world.tokens.find((token) => token.id === id)
  expect(token?.status).toBe('active')
  expect(
    createHash('sha256')
      .update(token?.value ?? '')
      .digest('hex'),
  ).toBe(secret)
}

test.each<Pick<Fault, 'side' | 'method' | 'path' | 'after'>>([
  { side: 'api', method: 'POST', path: '/tokens' },
  { side: 's3', method: 'PUT' },
  { side: 'api', method: 'PUT', path: '/tokens/' },
  { side: 'api', method: 'PUT', path: '/tokens/', after: 1 },
  { side: 'api', method: 'PUT', path: '/tokens/', after: 2 },
  { side: 'api', method: 'DELETE', path: '/tokens/' },
])('kill -9 while $method $path $after is under way', async (where) => {
  const { faults, log, world } = stage.sandbox
  const before = log.length
  faults.add({ ...where, kind: 'hang' })
  const running = stage.start(at, args, { env: fake.env })
  await until('the request', () => log.slice(before).some(({ status }) => status === 'hang'))
  running.child.kill('SIGKILL')
  await running.ended
  faults.clear()
  expectWorkingKey()
  const { code, stdout } = await stage.initHere(at, args, { env: fake.env })
  expect({ code, stdout }).toMatchObject({ code: 0 })
  expectWorkingKey()
  expect(world.tokens.slice(1).map(({ name }) => name)).toEqual([
    expect.stringMatching(/^mastodon-r2 social-example-com-media files\.example\.com /),
  ])
})

test('a token that may make keys, and nothing else, is enough', async () => {
  const [bootstrap] = stage.sandbox.world.tokens
  const before = bootstrap?.policies ?? []
  const keysOnly = (before as Policy[]).flatMap((policy) => {
    const groups = policy.permission_groups.filter(
      ({ name }) => name === 'Account API Tokens Write',
    )
    return groups.length === 0 ? [] : [{ ...policy, permission_groups: groups }]
  })
  expect(keysOnly).toHaveLength(1)
  if (bootstrap) bootstrap.policies = keysOnly
  try {
    const account = ['--account-id', stage.sandbox.accountId]
    const { code, stdout } = await stage.initHere(at, [...args, ...account], { env: fake.env })
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expectWorkingKey()
  } finally {
    if (bootstrap) bootstrap.policies = before
  }
})

interface Policy {
  readonly permission_groups: readonly { readonly name: string }[]
}
