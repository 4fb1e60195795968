import { describe, expect, it } from 'vitest'
import type { CorsRule } from '../../src/services/cloudflare/port.ts'
import { cors } from '../../src/setup/cors.ts'
import { worldOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'

type Methods = CorsRule['allowed']['methods']

const rule = (origins: string[], methods: Methods = ['GET', 'HEAD'], id?: string): CorsRule => ({
  ...(id !== undefined && { id }),
  allowed: { origins, methods },
})
const own = 'https://social.example.com'
const other = 'https://other.example.com'
const everyone = 'GET and HEAD allowed for *'

describe('cors', () => {
  it.each<[string, CorsRule[], string[], string]>([
    ['no rule', [], ['*'], 'change allow GET and HEAD for *'],
    ['everyone may', [rule(['*'])], ['*'], `ready ${everyone}`],
    ['everyone may, so we may', [rule(['*'])], [own], `ready GET and HEAD allowed for ${own}`],
    ['we may', [rule([other, own])], [own], `ready GET and HEAD allowed for ${own}`],
    [
      'more methods than needed',
      [rule(['*'], ['PUT', 'HEAD', 'POST', 'GET'])],
      ['*'],
      `ready ${everyone}`,
    ],
    [
      'GET alone is not enough',
      [rule(['*'], ['GET'])],
      ['*'],
      'change allow GET and HEAD for *; 1 other rule stays',
    ],
    [
      'some origins are not everyone',
      [rule([own]), rule([other])],
      ['*'],
      'change allow GET and HEAD for *; 2 other rules stay',
    ],
    [
      'one of two origins',
      [rule([own])],
      [own, other],
      `change allow GET and HEAD for ${own}, ${other}; 1 other rule stays`,
    ],
    [
      'ours of before',
      [rule([other], ['GET', 'HEAD'], 'mastodon-r2')],
      [own],
      `change allow GET and HEAD for ${own}`,
    ],
  ])('%s', async (_, rules, corsOrigins, expected) => {
    const world = worldOf({ corsOrigins })
    world.cloudflare.cors = rules
    expect(found(await cors.look(world))).toBe(expected)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('rules of others stay as they are and in their order; ours is replaced', async () => {
    const theirs: CorsRule[] = [
      { ...rule([other], ['PUT'], 'uploads'), maxAgeSeconds: 5, exposeHeaders: ['ETag'] },
      rule([other], ['POST']),
    ]
    const [first, second] = theirs as [CorsRule, CorsRule]
    const world = worldOf({ corsOrigins: [own] })
    world.cloudflare.cors = [first, rule([other], ['GET'], 'mastodon-r2'), second]
    await cors.change?.(world)
    expect(world.cloudflare.cors).toEqual([
      first,
      second,
      {
        id: 'mastodon-r2',
        allowed: { origins: [own], methods: ['GET', 'HEAD'] },
        maxAgeSeconds: 86_400,
      },
    ])
    expect((await cors.look(world)).is).toBe('ready')
  })
})
