import { expect, test } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { toType } from '../../src/core/to-type.ts'
import { laterRemoval } from '../../src/migrate/closing.ts'
import type { CopyPlace } from '../../src/services/rclone/port.ts'

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
    leftOut: { cache: 5 },
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
  const lines = laterRemoval(folder("/srv/it's here"), switched, { leftOut: {}, compareLine })
  expect(lines.at(-1)).toBe("  find '/srv/it'\\''s here'/ -mindepth 1 -delete")
})

test.each(['private', 'suspended', 'skipped'])(
  'no command while %s files are only there',
  (why) => {
    const lines = laterRemoval(folder('/srv'), switched, { leftOut: { [why]: 1200 }, compareLine })
    expect(lines.join('\n')).toContain('1,200 of them were left out')
    expect(lines.join('\n')).not.toContain('-delete')
  },
)

test('an old bucket is kept as long', () => {
  const [first] = laterRemoval(old, switched, { leftOut: {}, compareLine })
  expect(first).toBe('Keep the old bucket old-media, and delete it not before 2026-12-22.')
})
