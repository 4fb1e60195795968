import { expect, it } from 'vitest'
import { redirectsCatalog } from '../../src/redirects/settings.ts'
import * as z from '../../src/settings/zod.ts'

it.each<[string, string | undefined, string]>([
  ['/system/', undefined, '/system/'],
  ['/system', undefined, '/system/'],
  ['https://old.example.com/media', 'old.example.com', '/media/'],
  ['http://Old.Example.com', 'old.example.com', '/'],
  ['bucket.s3.example.com/', 'bucket.s3.example.com', '/'],
  [' old.example.com/a/b-c_d~e.f/ ', 'old.example.com', '/a/b-c_d~e.f/'],
])('--old-address %s', (text, host, path) => {
  expect(redirectsCatalog.oldAddress.rule(z).parse([text])).toEqual([{ host, path }])
})

it.each([
  '',
  '/',
  'system',
  'ftp://old.example.com/',
  'https://old.example.com:8443/',
  'old.example.com/a//b',
  'old.example.com/../b',
  'old.example.com/./b',
  'old.example.com/a?b',
  'old.example.com/a;b',
  'old.example.com/{a}',
  `old.example.com${'/a'.repeat(17)}`,
])('--old-address %s is refused', (text) => {
  expect(redirectsCatalog.oldAddress.rule(z).safeParse([text]).success).toBe(false)
})
