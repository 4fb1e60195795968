import { describe, expect, test } from 'vitest'
import { knownThere, mediaThere } from '../../src/leave/known-there.ts'
import { FakeWeb } from '../fakes/fake-web.ts'
import { FakeClock, setupOf } from '../fakes/fake-world.ts'
import { leaving } from './to-s3.ts'

const BASE = 'next.example.net'

async function situation({ inBoth = 0, onR2Only = 0 }) {
  const { at, s3, next, stored } = await leaving()
  for (const { objects, calls } of [s3, next]) {
    objects.clear()
    calls.length = 0
  }
  for (let nth = 0; nth < inBoth + onR2Only; nth += 1) {
    const key = `accounts/avatars/${10_000 + nth}/a.png`
    stored(s3, key, 'picture')
    // What the new bucket has besides is of another name.
    stored(next, nth < inBoth ? key : `${key}.other`, 'picture')
  }
  const known = mediaThere(at, BASE)
  const web = new FakeWeb(next)
  const world = { web, connectS3: next.connect, place: setupOf(), clock: new FakeClock() }
  return { at, s3, next, known, world, step: knownThere(known, BASE) }
}

describe('known media of both sides', () => {
  test('is found in listings alone, however little both have in common', async () => {
    const { s3, known, world } = await situation({ onR2Only: 6_000 })
    expect(await known.fault(world)).toMatchObject({ code: 'no-media-on-both-sides' })
    expect(s3.calls.length).toBeLessThan(30)
    expect(s3.calls.filter((call) => call !== 'page')).toEqual([])
  })

  test('a few are enough', async () => {
    const { s3, known } = await situation({ inBoth: 20_000 })
    expect(await known.keys(undefined as never)).toHaveLength(1)
    expect(s3.calls.length).toBeLessThan(20)
  })

  test('where there is none, the line to type has the flags of this way out', async () => {
    const { at, step, world } = await situation({})
    const { lineFor } = at
    Object.assign(at, { lineFor: () => lineFor('copy', { to: 's3', toEnv: 'next.env' }) })
    const found = await step.look(world)
    expect(String(found.is === 'blocked' && found.problem.next)).toContain(
      'leave --stage copy --to s3 --to-env next.env',
    )
  })
})
