import { describe, expect, it } from 'vitest'
import type { Setup } from '../../src/plan/step.ts'
import type { Bucket } from '../../src/services/cloudflare/port.ts'
import { bucket } from '../../src/setup/bucket.ts'
import { ACCOUNT, worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

const at = (jurisdiction: Setup['at']['jurisdiction']) => ({
  at: { accountId: ACCOUNT, bucket: 'example-media', jurisdiction },
})

describe('bucket', () => {
  it.each<[string, Partial<Setup>, Bucket | undefined, string]>([
    ['there', {}, { name: 'example-media' }, 'ready example-media exists'],
    [
      'there, and where',
      {},
      { name: 'example-media', location: 'WEUR' },
      'ready example-media exists in weur',
    ],
    [
      'there, in a jurisdiction',
      at('eu'),
      { name: 'example-media', location: 'EEUR' },
      'ready example-media exists in eeur, jurisdiction eu',
    ],
    ['absent', {}, undefined, 'change create the bucket example-media'],
    [
      'absent, with a hint',
      { location: 'apac' },
      undefined,
      'change create the bucket example-media, near apac',
    ],
    [
      'absent, in a jurisdiction',
      at('fedramp'),
      undefined,
      'change create the bucket example-media, jurisdiction fedramp',
    ],
  ])('%s', async (_, setup, there, expected) => {
    const world = worldOf(setup)
    world.cloudflare.bucket = there
    expect(found(await bucket.look(world))).toBe(expected)
    expect(world.cloudflare.writes).toEqual([])
  })

  it.each<[Partial<Setup>, string]>([
    [{}, 'create example-media default anywhere'],
    [{ location: 'weur' }, 'create example-media default weur'],
    [at('eu'), 'create example-media eu anywhere'],
  ])('creates what was announced: %o', async (setup, expected) => {
    const world = worldOf(setup)
    Object.assign(world.facts, await bucket.change?.(world))
    expect(world.cloudflare.writes).toEqual([expected])
    expect((await bucket.look(world)).is).toBe('ready')
  })
})

it.each([
  ['WEUR', 'ready'],
  ['ENAM', 'blocked'],
  [undefined, 'blocked'],
])('--location weur for a bucket that is there in %s: %s', async (location, expected) => {
  const world = worldOf({ location: 'weur' })
  world.cloudflare.bucket = { name: 'example-media', ...(location && { location }) }
  const finding = await bucket.look(world)
  expect(finding.is).toBe(expected)
  if (finding.is !== 'blocked') return
  expect([finding.problem.code, finding.problem.exit]).toEqual(['bucket-lives-already', 2])
})

it('a hint that Cloudflare did not follow is told, and no failure', async () => {
  const world = worldOf({ location: 'weur' }, { bucketMade: true })
  world.cloudflare.bucket = { name: 'example-media', location: 'ENAM' }
  expect(await bucket.look(world)).toMatchObject({
    is: 'ready',
    warnings: [expect.stringContaining('in enam')],
  })
})

it.each([
  ['default', 'eu', '--jurisdiction eu'],
  ['default', 'us', '--jurisdiction us'],
  ['eu', 'default', '--jurisdiction default'],
] as const)(
  'wished in %s, there in %s: that is offered, and no second one made',
  async (wished, there, words) => {
    const world = worldOf(at(wished))
    world.cloudflare.elsewhere = there
    const finding = await bucket.look(world)
    expect(finding).toMatchObject({
      is: 'blocked',
      problem: { code: 'bucket-elsewhere', next: expect.stringContaining(words) },
    })
    expect(world.cloudflare.writes).toEqual([])
  },
)

it.each([
  ['default', 'eu'],
  ['eu', 'default'],
] as const)(
  '%s is named by the person, and there is one in %s: obeyed, and said',
  async (wished, there) => {
    const world = worldOf({ ...at(wished), jurisdictionGiven: true })
    world.cloudflare.elsewhere = there
    const finding = await bucket.look(world)
    expect(found(finding)).toMatch(/^change create the bucket example-media/)
    expect(warningsOf(finding)).toEqual([expect.stringContaining('stays as it is')])
  },
)
