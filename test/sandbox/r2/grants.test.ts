import { describe, expect, test } from 'vitest'
import { allows, allowsAddress, grantsOf } from '../../../src/sandbox/r2/authorize.ts'
import {
  ACCOUNT,
  addKey,
  bucketResource,
  createStand,
  ITEM_READ,
  ITEM_WRITE,
  STORAGE_WRITE,
} from './stand.ts'

const read = { write: false, admin: false }
const write = { write: true, admin: false }
const admin = { write: true, admin: true }
const account = `com.cloudflare.api.account.${ACCOUNT}`
const everyBucket = { 'com.cloudflare.edge.r2.bucket.*': '*' }
const media = { account: ACCOUNT, jurisdiction: 'default', bucket: 'media' }

function token(resources: Record<string, unknown>, group: string, wish = {}) {
  return addKey(createStand().world, resources, group, wish).token
}

describe('grants', () => {
  test.each([
    [
      'item write on the bucket: write',
      { [bucketResource('media')]: '*' },
      ITEM_WRITE,
      write,
      true,
    ],
    ['item write on the bucket: read', { [bucketResource('media')]: '*' }, ITEM_WRITE, read, true],
    ['item write is no admin', { [bucketResource('media')]: '*' }, ITEM_WRITE, admin, false],
    ['item read reads', { [bucketResource('media')]: '*' }, ITEM_READ, read, true],
    ['item read does not write', { [bucketResource('media')]: '*' }, ITEM_READ, write, false],
    ['another bucket', { [bucketResource('other')]: '*' }, ITEM_WRITE, read, false],
    ['a longer name', { [bucketResource('media2')]: '*' }, ITEM_WRITE, read, false],
    ['another jurisdiction', { [bucketResource('media', 'eu')]: '*' }, ITEM_WRITE, read, false],
    ['every bucket of the account', { [account]: everyBucket }, ITEM_WRITE, write, true],
    ['item group on a bare account', { [account]: '*' }, ITEM_WRITE, read, false],
    ['storage write on the account', { [account]: '*' }, STORAGE_WRITE, admin, true],
    ['storage write on another account', { [`${account}0`]: '*' }, STORAGE_WRITE, read, false],
    [
      'storage write on all accounts',
      { 'com.cloudflare.api.account.*': '*' },
      STORAGE_WRITE,
      admin,
      true,
    ],
    ['an unrelated group', { [account]: '*' }, '0'.repeat(32), read, false],
  ])('%s', (_name, resources, group, need, expected) => {
    expect(allows(grantsOf(token(resources, group)), media, need)).toBe(expected)
  })

  test('a group is known by its name, too', () => {
    const groups = [{ id: '1', name: 'Workers R2 Storage Bucket Item Write' }]
    const policy = { permission_groups: groups, resources: { [bucketResource('media')]: '*' } }
    const named = token({}, '', { policies: [{ effect: 'allow', ...policy }] })
    expect(allows(grantsOf(named), media, write)).toBe(true)
    const denied = token({}, '', { policies: [...named.policies, { effect: 'deny', ...policy }] })
    expect(allows(grantsOf(denied), media, write)).toBe(false)
  })

  test('policies that make no sense grant nothing', () => {
    const odd = token({}, '', {
      policies: [null, 'x', { permission_groups: 1 }, { resources: [] }],
    })
    expect(grantsOf(odd)).toEqual([])
  })
})

test.each([
  ['no condition', undefined, true],
  ['an empty list', { request_ip: { in: [] } }, true],
  ['the range', { request_ip: { in: ['10.0.0.0/8', '127.0.0.0/8'] } }, true],
  ['the address', { request_ip: { in: ['127.0.0.1'] } }, true],
  ['IPv6 only', { request_ip: { in: ['2001:db8::/32'] } }, false],
  ['elsewhere', { request_ip: { in: ['203.0.113.0/24'] } }, false],
  ['shut out', { request_ip: { not_in: ['127.0.0.1/32'] } }, false],
  ['nonsense', { request_ip: { in: ['here'] } }, false],
])('allowsAddress 127.0.0.1: %s', (_name, condition, expected) => {
  expect(allowsAddress(token({}, ITEM_WRITE, { condition }), '127.0.0.1')).toBe(expected)
})
