import { expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { toType } from '../../src/core/to-type.ts'
import { laterRemoval } from '../../src/migrate/closing.ts'
import type { Comparison } from '../../src/plan/report-schema.ts'
import type { CopyPlace } from '../../src/services/rclone/port.ts'
import { comparisonOf, tallyOf } from './compare/comparisons.ts'

const switched = new Date('2026-11-22T23:00:00Z')
const folder = (path: string): CopyPlace => ({ kind: 'folder', path })
const compareLine = toType('migrate', { mastodonEnv: 'E', stage: 'compare' })
const old: CopyPlace = {
  kind: 'bucket',
  endpoint: 'https://s3.example.com',
  bucket: 'old-media',
  region: 'us-east-1',
  provider: 'Other',
  key: { accessKeyId: '1', secretAccessKey: new Secret('2') },
}

test('not before 30 days after the switch, and compared once more', () => {
  const lines = laterRemoval(folder('/srv/public/system'), switched, {
    comparison: comparisonOf({ leftOut: { cache: 5 } }),
    compareLine,
  })
  expect(lines.map(String)).toEqual([
    'Keep the files in /srv/public/system; remove them not before 2026-12-22.',
    'Compare once more before that:',
    '  npx mastodon-r2 migrate --mastodon-env E --stage compare',
    'Then:',
    '  find /srv/public/system/ -mindepth 1 -delete',
  ])
})

test('a name that a shell would take apart is quoted', () => {
  const lines = laterRemoval(folder("/srv/it's here"), switched, {
    comparison: comparisonOf(),
    compareLine,
  })
  expect(lines.at(-1)).toBe("  find '/srv/it'\\''s here'/ -mindepth 1 -delete")
})

test.each<[string, Partial<Comparison>, string]>([
  ['private', { leftOut: { private: 1200 } }, '1,200 of what is there are not in the new bucket'],
  ['of suspended users', { leftOut: { suspended: 1 } }, '1 of what is there is not in the new'],
  ['left out by --skip', { leftOut: { skipped: 3 } }, '(3 left out by --skip)'],
  ['unfinished', { leftOut: { unfinished: 2, cache: 9 } }, '(2 just being stored)'],
  ['a reason of later', { leftOut: { other: 2 } }, '(2 other)'],
  ['missing, as --max-loss allows', { missing: tallyOf(2, 9, ['a']) }, '2 missing in the bucket'],
  ['of another size', { sizeDiffers: tallyOf(2, 9, ['a']) }, '2 different in the bucket'],
  ['of another content', { contentDiffers: tallyOf(1, 9, ['a']) }, '1 different in the bucket'],
  ['not readable', { unreadable: tallyOf(4, 9, ['a']) }, '4 not readable'],
  ['of a name that is none', { oddities: 1 }, '1 no plain files'],
  [
    'of several kinds',
    { leftOut: { suspended: 2, unfinished: 1 }, unreadable: tallyOf(1, 1, ['a']) },
    '4 of what is there are not in the new bucket, and nowhere else (2 of suspended users, 1 just being stored, 1 not readable)',
  ],
])('no command while files are only there: %s', (_, more, words) => {
  const comparison = comparisonOf(more)
  for (const from of [folder('/srv'), old]) {
    const text = laterRemoval(from, switched, { comparison, compareLine }).join('\n')
    expect(text).toContain(words)
    expect(text).not.toMatch(/-delete|delete it/)
  }
})

test('an old bucket is kept as long', () => {
  const [first] = laterRemoval(old, switched, { comparison: comparisonOf(), compareLine })
  expect(first).toBe('Keep the old bucket old-media, and delete it not before 2026-12-22.')
})
