import { describe, expect, it } from 'vitest'
import { leftOut, type Selection, type TreeHabits } from '../../src/migrate/migration.ts'
import { mediaFile, OLD } from '../fakes/media-file.ts'

const all: Selection = { onlyLocal: false, skip: [], withPrivate: false, withSuspended: false }
const open: TreeHabits = { usualModes: 'open' }
const closed: TreeHabits = { usualModes: 'closed' }
const justNow: TreeHabits = { usualModes: 'open', now: OLD + 60_000 }
const later: TreeHabits = { usualModes: 'open', now: OLD + 3_600_000 }
const A = 'media_attachments/files/1/original/a.png'
const C = 'cache/media_attachments/files/1/original/a.png'

describe('leftOut', () => {
  it.each<[string, string, number | undefined, Partial<Selection>, TreeHabits, string | undefined]>(
    [
      ['everything is copied', A, 0o644, {}, open, undefined],
      ['that of others too', C, 0o644, {}, open, undefined],
      ['unless only local is', C, 0o644, { onlyLocal: true }, open, 'cache'],
      ['local is', A, 0o644, { onlyLocal: true }, open, undefined],
      ['a name like cache', 'cached/a', 0o644, { onlyLocal: true }, open, undefined],
      ['skipped', A, 0o644, { skip: ['x/', 'media_att'] }, open, 'skipped'],
      ['not skipped', A, 0o644, { skip: ['files/'] }, open, undefined],
      ['backups', 'backups/dumps/1/a.zip', 0o644, {}, open, 'private'],
      ['imports', 'imports/data/1/a.csv', 0o644, {}, open, 'private'],
      ['backups on demand', 'backups/dumps/1/a.zip', 0o644, { withPrivate: true }, open, undefined],
      ['suspended', A, 0o600, {}, open, 'suspended'],
      ['suspended, any class', 'accounts/avatars/1/a.png', 0o600, {}, open, 'suspended'],
      ['suspended, owner may write only', A, 0o400, {}, open, 'suspended'],
      ['a group may read', A, 0o640, {}, open, undefined],
      ['suspended on demand', A, 0o600, { withSuspended: true }, open, undefined],
      ['it is the umask', A, 0o600, {}, closed, undefined],
      ['an object has no mode', A, undefined, {}, open, undefined],
      ['being stored', A, 0o600, {}, justNow, 'unfinished'],
      ['suspended for an hour', A, 0o600, {}, later, 'suspended'],
      ['being stored, and asked for', A, 0o600, { withSuspended: true }, justNow, undefined],
      ['open and new', A, 0o644, {}, justNow, undefined],
      ['private before suspended', 'backups/a.zip', 0o600, {}, open, 'private'],
    ],
  )('%s', (_, key, mode, wishes, habits, expected) => {
    const file = { ...mediaFile(key), mode }
    expect(leftOut(file, { ...all, ...wishes }, habits)).toBe(expected)
  })
})
