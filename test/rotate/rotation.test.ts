import { expect, it } from 'vitest'
import { judgeRotation } from '../../src/rotate/keys.ts'
import type { MintedKey } from '../../src/services/cloudflare/port.ts'

const bucket = { accountId: 'a'.repeat(32), bucket: 'media', jurisdiction: 'default' } as const
const key = (name: string, only: MintedKey['limits'] | 'this' | 'more' = 'this'): MintedKey => {
  const anywhere = { allowIps: [], refuseIps: [] }
  const limits =
    only === 'this'
      ? { ...anywhere, only: bucket }
      : only === 'more'
        ? { ...anywhere, only: undefined }
        : only
  return { id: name, name, status: 'active', raw: null, ...(limits && { limits }) }
}
const inUse = key('mastodon-r2 media h 2026-01-01 aaaaaa')
const pending = key('mastodon-r2-setup media h 2026-01-01 bbbbbb')
const retiring = key('mastodon-r2-retiring media h 2026-01-01 cccccc')
const byHand = key('Mastodon uploads')
const other = { ...bucket, jurisdiction: 'eu' as const }

it.each<[string, MintedKey | undefined, MintedKey[], 'begin' | 'finish', MintedKey[], boolean]>([
  ['a healthy server', inUse, [], 'begin', [inUse], false],
  ['stopped before the env file was switched', retiring, [], 'begin', [retiring], false],
  ['stopped just after it was switched', pending, [retiring], 'finish', [retiring], false],
  ['stopped before the removal', inUse, [retiring], 'finish', [retiring], false],
  ['a setup that broke off at its end', pending, [], 'finish', [], false],
  ['a key made by hand for this bucket', byHand, [], 'begin', [byHand], false],
  ['a key made by hand for more', key('All', 'more'), [], 'begin', [], true],
  [
    'for another place',
    key('EU', { only: other, allowIps: [], refuseIps: [] }),
    [],
    'begin',
    [],
    true,
  ],
  ['a key that is not seen', undefined, [], 'begin', [], true],
  ['not seen, with an old one left', undefined, [retiring], 'finish', [retiring], false],
])('%s', (_, envKey, old, kind, removed, stays) => {
  const judged = judgeRotation(envKey, old, bucket)
  expect(judged.kind).toBe(kind)
  expect(judged.old).toEqual(removed)
  expect(judged.stays !== undefined).toBe(stays)
})
