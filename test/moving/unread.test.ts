import { expect, test } from 'vitest'
import { Unread } from '../../src/moving/unread.ts'

const note = ''

test.each<[string, string, boolean]>([
  ['the folder itself', 'accounts/avatars', true],
  ['a file below it', 'accounts/avatars/1/a.png', true],
  ['a file beside it', 'accounts/avatars2/1/a.png', false],
])('a folder that may not be read covers %s', (_, key, covered) => {
  const unread = new Unread()
  unread.note({ kind: 'unreadable', path: 'accounts/avatars/', note })
  expect(unread.covers(key)).toBe(covered)
})

test('a link out of the folder is followed, so what is behind it was read', () => {
  const unread = new Unread()
  unread.note({ kind: 'outside-link', path: 'cache/preview_cards/', note })
  expect(unread.covers('cache/preview_cards/a.png')).toBe(false)
  expect(unread.first).toBeUndefined()
})

test('the root that can not be read covers everything', () => {
  const unread = new Unread()
  unread.note({ kind: 'unreadable', path: '', note })
  expect(unread.covers('accounts/a.png')).toBe(true)
})
