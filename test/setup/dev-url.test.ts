import { describe, expect, it } from 'vitest'
import { devUrl } from '../../src/setup/bucket.ts'
import { ENV, installationOf, worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

const off =
  'change [public] switch the r2.dev address off; media is served by the custom domain alone'

function worldWith(alias: string | undefined, enabled: boolean) {
  const settings = new Map(
    alias === undefined ? [] : [['S3_ALIAS_HOST', { value: alias, from: ENV }] as const],
  )
  const world = worldOf({ installation: installationOf({ settings }) })
  world.cloudflare.devUrl = enabled
  return world
}

describe('dev-url', () => {
  it.each<[string, string | undefined, boolean, string]>([
    ['off', undefined, false, 'ready off'],
    ['off, though it was in use', 'pub-1.r2.dev', false, 'ready off'],
    ['on', undefined, true, off],
    ['on, and another host in use', 'files.example.com', true, off],
    ['on, and in use', 'pub-1.r2.dev', true, 'ready on, and in use'],
    ['on, and in use with a path', 'pub-1.r2.dev/media', true, 'ready on, and in use'],
    ['on, and in use with a scheme', 'https://pub-1.r2.dev', true, 'ready on, and in use'],
    ['a name that only looks like it', 'pub-1.r2.dev.example.com', true, off],
  ])('%s', async (_, alias, enabled, expected) => {
    const finding = await devUrl.look(worldWith(alias, enabled))
    expect(found(finding)).toBe(expected)
    expect(warningsOf(finding)).toHaveLength(expected === 'ready on, and in use' ? 1 : 0)
  })

  it('switches it off', async () => {
    const world = worldWith(undefined, true)
    await devUrl.change?.(world)
    expect(world.cloudflare.writes).toEqual(['disable r2.dev'])
    expect(found(await devUrl.look(world))).toBe('ready off')
  })
})
