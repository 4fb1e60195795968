import { describe, expect, it } from 'vitest'
import { keyLines } from '../../src/rotate/env-file.ts'
import type { Installation } from '../../src/services/mastodon/port.ts'
import { ENV, envFileOf, installationOf, knownKey } from '../fakes/fake-world.ts'
import { found, problemOf } from '../fakes/found.ts'
import { freshKey, rotatingWorld, rotationOf } from './rotating.ts'

const ready = { rotation: rotationOf(), accessKey: freshKey, oldKeyNamed: true } as const

describe('env-file of a rotation', () => {
  it.each([
    ['no key yet', {}, 'waiting accessKey'],
    ['the old key not marked', { accessKey: freshKey }, 'waiting oldKeyNamed'],
    ['now', ready, `change put the new key into ${ENV} (a backup is kept)`],
  ])('%s', async (_, facts, expected) => {
    expect(found(await keyLines.look(rotatingWorld(facts)))).toBe(expected)
  })

  it('writes the two lines and nothing else', async () => {
    const world = rotatingWorld(ready)
    const { envWritten } = (await keyLines.change?.(world)) ?? {}
    const [text = ''] = world.envWriter.written
    expect(text).toContain(`AWS_ACCESS_KEY_ID=${freshKey.accessKeyId}\n`)
    expect(text.trim().split('\n')).toHaveLength(2)
    expect(envWritten).toMatchObject({ file: ENV, backup: `${ENV}.backup` })
  })

  it('is ready when the file holds the key, and tells so', async () => {
    const world = rotatingWorld({ ...ready, accessKey: { ...knownKey, minted: true } })
    expect(await keyLines.look(world)).toMatchObject({
      is: 'ready',
      facts: { envWritten: { file: ENV, backup: undefined } },
    })
  })

  const spread = [
    ['AWS_ACCESS_KEY_ID', ENV],
    ['AWS_SECRET_ACCESS_KEY', 'systemd unit mastodon-web.service'],
  ] as const
  it.each([
    ['id and secret in two places', spread],
    ['in no file', spread.map(([name]) => [name, 'compose.yml'] as const)],
    ['nowhere', []],
  ])('refused before anything is made: %s', async (_, places) => {
    const settings = new Map(places.map(([name, from]) => [name, { value: 'x', from }]))
    const world = rotatingWorld({}, { installation: installationOf({ settings }) })
    expect((await problemOf(keyLines.look(world))).code).toBe('key-not-in-env-file')
  })

  it('refused when the file may not be written', async () => {
    const { place } = rotatingWorld()
    const envFiles = [envFileOf('', { writable: false })]
    const world = rotatingWorld({}, { installation: { ...place.installation, envFiles } })
    expect((await problemOf(keyLines.look(world))).code).toBe('env-file-not-writable')
  })

  it('refused when a service would not get the new key', async () => {
    const { place } = rotatingWorld()
    const service = (from: string) => ({
      ...{ name: 'sidekiq', role: 'sidekiq', envFiles: [from] },
      settings: new Map([['AWS_ACCESS_KEY_ID', { value: 'another', from }]]),
    })
    const services = [service('/etc/other.env')] as unknown as NonNullable<Installation['services']>
    const world = rotatingWorld({}, { installation: { ...place.installation, services } })
    world.envWriter.preview = async () => ({ ...place.installation, services })
    const finding = await keyLines.look(world)
    expect(finding).toMatchObject({
      is: 'blocked',
      problem: { code: 'env-file-not-read', exit: 2, what: expect.stringContaining('sidekiq') },
    })
  })
})
