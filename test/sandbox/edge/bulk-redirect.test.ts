import { expect, it } from 'vitest'
import { bulkTarget, readSource } from '../../../src/sandbox/edge/rules.ts'
import type { SandboxList, SandboxRedirect } from '../../../src/sandbox/edge/state.ts'

const plain: SandboxRedirect = {
  id: '1',
  sourceUrl: 'social.example.com/system',
  targetUrl: 'https://files.example.com',
  status: 302,
  subpathMatching: true,
  preservePathSuffix: true,
  preserveQueryString: true,
  includeSubdomains: false,
  comment: undefined,
  createdAt: 0,
}

function target(url: string, ...items: Partial<SandboxRedirect>[]) {
  const list: SandboxList = {
    id: 'l',
    accountId: 'a',
    name: 'old',
    description: '',
    createdAt: 0,
    updatedAt: 0,
    items: items.map((item) => ({ ...plain, ...item })),
  }
  return bulkTarget([list], 'old', url)?.location
}

const old = 'https://social.example.com/system'

it.each<[string, string, Partial<SandboxRedirect>, string | undefined]>([
  ['below', `${old}/a/b.png`, {}, 'https://files.example.com/a/b.png'],
  ['with its query', `${old}/a.png?v=1`, {}, 'https://files.example.com/a.png?v=1'],
  ['encoded', `${old}/a%20b.png`, {}, 'https://files.example.com/a%20b.png'],
  [
    'slashes at both ends',
    `${old}/a`,
    { sourceUrl: `${old}/`, targetUrl: 'https://f.example/x/' },
    'https://f.example/x/a',
  ],
  ['the source itself', old, {}, 'https://files.example.com'],
  ['another path that begins alike', `${old}s/a`, {}, undefined],
  ['above', 'https://social.example.com/', {}, undefined],
  ['another host', 'https://example.com/system/a', {}, undefined],
  ['a subdomain', 'https://a.social.example.com/system/a', {}, undefined],
  [
    'a subdomain, included',
    'https://a.social.example.com/system/a',
    { includeSubdomains: true },
    'https://files.example.com/a',
  ],
  ['no subpaths', `${old}/a`, { subpathMatching: false }, undefined],
  ['no suffix', `${old}/a`, { preservePathSuffix: false }, 'https://files.example.com'],
  ['no query', `${old}/a?v=1`, { preserveQueryString: false }, 'https://files.example.com/a'],
  ['its scheme', `${old}/a`, { sourceUrl: 'http://social.example.com/system' }, undefined],
])('%s', (_, url, item, expected) => {
  expect(target(url, item)).toBe(expected)
})

it('takes the longest path that fits', () => {
  const deeper = { id: '2', sourceUrl: `${old}/cache`, targetUrl: 'https://cache.example.com' }
  expect(target(`${old}/cache/a`, {}, deeper)).toBe('https://cache.example.com/a')
  expect(target(`${old}/other/a`, {}, deeper)).toBe('https://files.example.com/other/a')
})

it.each([
  'social.example.com:443/a',
  'social.example.com/a?b',
  'social.example.com/#a',
  'a b',
  '/a',
])('is no source: %s', (url) => {
  expect(readSource(url)).toBeUndefined()
})
