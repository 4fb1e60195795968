import { describe, expect, it } from 'vitest'
import { seedWorld } from '../../../src/sandbox/seed.ts'

describe('a seeded world', () => {
  it('has an account with R2, an active full zone and a token, all with ids of their own', () => {
    const { world } = seedWorld()
    const ids = [...world.accounts, ...world.zones, ...world.tokens].map(({ id }) => id)
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
    expect(new Set([...ids, seedWorld().world.accounts[0]?.id]).size).toBe(4)
    expect(world.accounts).toMatchObject([{ name: 'Sandbox', r2Enabled: true }])
    const zone = { name: 'example.com', status: 'active', type: 'full', paused: false }
    expect(world.zones).toMatchObject([zone])
    expect(world.delays).toEqual({ domainMs: 2000, keyMs: 1000, requestMs: 0 })
  })

  it.each([
    [undefined, 'account', /^cfat_/],
    ['account', 'account', /^cfat_/],
    ['user', 'user', /^cfut_/],
  ] as const)('token kind %s gives an %s token', (tokenKind, kind, prefix) => {
    const { world, bootstrapToken } = seedWorld(tokenKind ? { tokenKind } : {})
    expect(bootstrapToken.reveal()).toMatch(prefix)
    expect(JSON.stringify({ bootstrapToken })).not.toContain(bootstrapToken.reveal())
    const accountId = kind === 'account' ? world.accounts[0]?.id : undefined
    expect(world.tokens).toMatchObject([{ kind, accountId, status: 'active' }])
  })

  it('takes accounts, zones and delays', () => {
    const { world } = seedWorld({
      accounts: [{ name: 'One' }, { name: 'Two', r2Enabled: false }],
      zones: [
        { name: 'a.example', account: 'Two', status: 'pending', type: 'partial', paused: true },
      ],
      delays: { domainMs: 5 },
    })
    expect(world.accounts[1]).toMatchObject({ name: 'Two', r2Enabled: false })
    const accountId = world.accounts[1]?.id
    const zone = { name: 'a.example', accountId, status: 'pending', type: 'partial', paused: true }
    expect(world.zones).toMatchObject([zone])
    expect(world.delays).toEqual({ domainMs: 5, keyMs: 1000, requestMs: 0 })
  })

  it.each([
    [{ zones: [{ name: 'a.example', account: 'Nobody' }] }, 'No account for zone a.example.'],
    [{ permissions: ['Zone Raed'] }, 'No permission group is called Zone Raed.'],
  ])('refuses %o', (options, message) => {
    expect(() => seedWorld(options)).toThrow(message)
  })
})
