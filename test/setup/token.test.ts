import { describe, expect, it } from 'vitest'
import type { KeyOwner, Permission, TokenKind } from '../../src/services/cloudflare/port.ts'
import { permissionNames } from '../../src/services/cloudflare/port.ts'
import { token } from '../../src/setup/token.ts'
import { ACCOUNT, tokenOf, worldOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'

const account: KeyOwner = { kind: 'account', accountId: ACCOUNT }
const user: KeyOwner = { kind: 'user' }

describe('token', () => {
  it.each<[TokenKind, string | undefined, string]>([
    ['account', undefined, 'ready account-owned, all permissions there, no expiry'],
    [
      'user',
      '2026-12-01T00:00:00Z',
      'ready user, all permissions there, until 2026-12-01T00:00:00Z',
    ],
  ])('%s, %s', async (kind, expiresOn, expected) => {
    const expiry = expiresOn === undefined ? {} : { expiresOn }
    const world = worldOf({ token: tokenOf({ kind, ...expiry }) })
    expect(found(await token.look(world))).toBe(expected)
  })

  it.each(['disabled', 'expired'] as const)('%s: told before all else', async (status) => {
    const world = worldOf({ token: tokenOf({ status }) })
    world.cloudflare.can = () => Promise.reject(new Error('refused'))
    const finding = await token.look(world)
    expect(found(finding)).toBe('blocked token-inactive')
    expect(finding).toMatchObject({ problem: { exit: 2, what: `The API token is ${status}.` } })
  })

  it.each<[KeyOwner, Permission, string]>([
    [account, 'r2', 'bucket, custom domain, CORS, lifecycle'],
    [account, 'account-tokens', 'access key'],
    [user, 'user-tokens', 'access key'],
    [account, 'zone', 'custom domain'],
    [account, 'dns', 'custom domain (is the host name free?)'],
  ])('a key of %o: lacking %s is named with its steps', async (owner, permission, steps) => {
    const world = worldOf({ owner })
    world.cloudflare.denied = [permission]
    const finding = await token.look(world)
    expect(found(finding)).toBe('blocked permissions-missing')
    expect(finding.is === 'blocked' && String(finding.problem.why).split('\n').slice(1)).toEqual([
      `  ${permissionNames[permission]} (for: ${steps})`,
    ])
  })

  it('all that is missing is named at once', async () => {
    const world = worldOf()
    world.cloudflare.denied = ['zone', 'r2', 'dns', 'account-tokens', 'user-tokens']
    const finding = await token.look(world)
    expect(finding.is === 'blocked' && String(finding.problem.why).split('\n')).toHaveLength(5)
  })

  it.each<[KeyOwner, Permission]>([
    [account, 'user-tokens'],
    [user, 'account-tokens'],
  ])('a key of %o does not need %s', async (owner, permission) => {
    const world = worldOf({ owner })
    world.cloudflare.denied = [permission]
    expect((await token.look(world)).is).toBe('ready')
  })

  it.each<[KeyOwner, string[] | undefined, string[]]>([
    [account, undefined, []],
    [account, ['Workers R2 Storage Write', 'Account API Tokens Write'], []],
    [account, ['Workers R2 Storage Read', 'Workers R2 Storage Write'], []],
    [account, ['Workers R2 Storage Read'], ['r2']],
    [account, ['Account API Tokens Read', 'Workers R2 Storage Read'], ['r2', 'account-tokens']],
    [user, ['API Tokens Read'], ['user-tokens']],
    [account, ['API Tokens Read'], []],
    [account, ['Zone Read', 'DNS Read'], []],
  ])('a key of %o, groups %o: only read are %o', async (owner, groups, missing) => {
    const world = worldOf({ owner })
    world.cloudflare.groups = groups
    const finding = await token.look(world)
    const why = finding.is === 'blocked' ? String(finding.problem.why) : ''
    const named = (['r2', 'account-tokens', 'user-tokens', 'zone', 'dns'] as const).filter((it) =>
      why.includes(`  ${permissionNames[it]} (`),
    )
    expect(named).toEqual(missing)
  })
})
