import { expect, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { Selection } from '../../../src/migrate/migration.ts'
import { slurperAdvice } from '../../../src/migrate/slurper/advice.ts'
import { slurperParts, slurperPrefixes } from '../../../src/migrate/slurper/jobs.ts'
import { slurperLine } from '../../../src/migrate/slurper/watch.ts'
import type { SlurperJob, SlurperSource } from '../../../src/services/cloudflare/port.ts'

const whole: Selection = { onlyLocal: false, skip: [], withPrivate: true, withSuspended: true }
const local = [
  'accounts/',
  'custom_emojis/',
  'media_attachments/',
  'preview_cards/',
  'site_uploads/',
]

test.each<[string, Partial<Selection>, string[] | undefined]>([
  ['everything', {}, ['']],
  ['no private', { withPrivate: false }, [...local, 'cache/'].sort()],
  ['only local', { onlyLocal: true, withPrivate: false }, local],
  [
    'a class of the cache',
    { onlyLocal: false, withPrivate: false, skip: ['cache/preview_cards/'] },
    [...local, 'cache/accounts/', 'cache/custom_emojis/', 'cache/media_attachments/'].sort(),
  ],
  [
    'one kind deep down',
    { withPrivate: false, skip: ['cache/accounts/headers', 'accounts/h'] },
    [
      'accounts/avatars/',
      'cache/accounts/avatars/',
      'cache/custom_emojis/',
      'cache/media_attachments/',
      'cache/preview_cards/',
      ...local.slice(1),
    ],
  ],
  [
    'within the cache that is left out',
    { onlyLocal: true, withPrivate: false, skip: ['cache/x'] },
    local,
  ],
  ['too fine', { skip: ['accounts/avatars/000/'] }, undefined],
  ['all of it', { withPrivate: false, onlyLocal: true, skip: local }, undefined],
])('prefixes: %s', (_, wish, expected) => {
  const ask = () => slurperPrefixes({ ...whole, ...wish })
  if (expected === undefined) expect(ask).toThrow(Problem)
  else expect([...ask()].sort()).toEqual([...expected].sort())
})

const job = (id: string, status: SlurperJob['status'], prefix: string): SlurperJob => ({
  id,
  status,
  createdAt: '2026-11-22T09:00:00Z',
  from: { bucket: 'old', endpoint: undefined, prefix },
  to: { bucket: 'media', jurisdiction: 'default' },
})

test.each<[string, SlurperJob[], string[], string, string | undefined]>([
  ['none', [], [], 'missing', undefined],
  ['a running one of whoever', [job('1', 'running', 'a/')], [], 'running', '1'],
  ['its slash lost on the way', [job('1', 'running', 'a')], [], 'running', '1'],
  ['another prefix', [job('1', 'running', 'b/')], [], 'missing', undefined],
  ['completed, ours', [job('1', 'completed', 'a/')], ['1'], 'completed', '1'],
  ['completed, not ours', [job('1', 'completed', 'a/')], [], 'missing', undefined],
  [
    'running before completed',
    [job('1', 'completed', 'a/'), job('2', 'running', 'a/')],
    ['1'],
    'running',
    '2',
  ],
  ['aborted', [job('1', 'aborted', 'a/')], ['1'], 'missing', undefined],
])('the job of a prefix: %s', (_, jobs, known, state, jobId) => {
  expect(slurperParts(['a/'], jobs, new Set(known))).toEqual([{ prefix: 'a/', state, jobId }])
})

test.each([
  [100, 'Super Slurper: 1,200 of 5,000 objects found so far, 3 failed, 40/s, 7 skipped'],
  [70, 'Super Slurper: 1,200 of 5,000 objects found so far, 3 failed, 40/s'],
  [40, 'Super Slurper: 1,200 of 5,000 objects fo'],
])('a line of %i characters', (width, expected) => {
  const total = { objects: 5000, transferred: 1200, skipped: 7, failed: 3 }
  expect(slurperLine(total, 40.2, width)).toBe(expected)
})

const source: SlurperSource = {
  vendor: 's3',
  bucket: 'old',
  key: { accessKeyId: 'a', secretAccessKey: new Secret('b') },
  endpoint: undefined,
  region: undefined,
}
const impossible = new Problem({ code: 'x', what: 'No.', why: 'Because.', next: 'Do.' })

test.each<[string, SlurperSource | Problem, number, number | undefined, string]>([
  ['little, speed unknown', source, 10e9, undefined, 'possible'],
  ['little and slow', source, 100e9, 1e6, 'recommended'],
  ['much and fast', source, 600e9, 1e9, 'recommended'],
  ['much, but out of reach', impossible, 600e9, 1e6, 'impossible'],
  ['little and fast', source, 100e9, 50e6, 'possible'],
])('advice: %s', (_, from, bytes, bytesPerSecond, advice) => {
  expect(slurperAdvice({ source: from, bytes, bytesPerSecond }).advice).toBe(advice)
})
