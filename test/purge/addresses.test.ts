import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { type Places, readAddress, readAddresses } from '../../src/purge/addresses.ts'

const places: Places = {
  instanceHosts: ['social.example.com', 'example.com'],
  mediaHost: 'files.example.com',
  old: [
    { host: 'old.example.com', path: '/file/my-media/' },
    { host: 'social.example.com', path: '/system/' },
  ],
}
const KEY = 'media_attachments/files/109/291/000/000/000/001/original/0a1b.jpg'
const media = (query = '') => ({ kind: 'media', key: KEY, query })

describe('an address is', () => {
  test.each([
    [`https://files.example.com/${KEY}`, media()],
    [`http://FILES.example.com/${KEY}`, media()],
    [`https://files.example.com/${KEY}?v=1&x`, media('?v=1&x')],
    [`https://social.example.com/system/${KEY}`, media()],
    [`/system/${KEY}`, media()],
    [`https://old.example.com/file/my-media/${KEY}`, media()],
    [
      'https://files.example.com/site_uploads/files/a%20b%C3%BC.png',
      { kind: 'media', key: 'site_uploads/files/a bü.png', query: '' },
    ],
  ])('%s a file', (address, expected) => {
    expect(readAddress(address, places)).toEqual(expected)
  })

  test.each([
    '/@alice/123',
    '/@alice@other.example/123',
    'https://social.example.com/@alice/123',
    'https://example.com/@alice/123/',
    '/users/alice/statuses/123',
    '/ap/users/7/statuses/123',
    '/web/@alice/123',
    '/deck/@alice/123',
    '/web/statuses/123',
  ])('%s a post', (address) => {
    expect(readAddress(address, places)).toMatchObject({ kind: 'post', id: '123' })
  })

  test.each([
    ['/@alice', 'alice'],
    ['https://social.example.com/@alice@other.example', 'alice@other.example'],
    ['/users/alice', 'alice'],
  ])('%s an account', (address, name) => {
    expect(readAddress(address, places)).toMatchObject({ kind: 'account', name })
  })

  test.each([
    ['https://files.example.com/media_attachments/files/', /names no file/],
    ['/system/media_attachments/', /names no file/],
    ['https://files.other.example/a.png', /files\.other\.example is neither/],
    [
      'https://files.example.com.evil.example/a.png',
      /files\.example\.com\.evil\.example is neither/,
    ],
    ['https://old.example.com/other/a.png', /old\.example\.com is neither/],
    ['https://files.example.com:8443/a.png', /8443 is neither/],
    ['https://files.example.com/', /names no file/],
    ['https://files.example.com/%E0%A4%A', /names no file/],
    ['/about', /neither a file, nor a post/],
    ['/@alice/123/reblogs', /neither a file, nor a post/],
  ])('%s none of ours', (address, why) => {
    expect(readAddress(address, places)).toMatch(why)
  })
})

test('every one that is none of ours is named', () => {
  const bad = ['https://a.example/x', '/about']
  try {
    readAddresses([`https://files.example.com/${KEY}`, ...bad], places)
    throw new Error('It was taken.')
  } catch (error) {
    expect(error).toBeInstanceOf(Problem)
    const { code, why } = error as Problem
    expect(code).toBe('address-not-ours')
    for (const address of bad) expect(String(why)).toContain(address)
  }
})
