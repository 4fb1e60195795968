import { describe, expect, it } from 'vitest'
import { usualModes } from '../../src/migrate/migration.ts'
import type { MediaFile } from '../../src/services/media/port.ts'
import { FakeSource, mediaFile } from '../fakes/media-file.ts'

const attachment = (mode: number) => mediaFile('media_attachments/files/1/original/a.png', mode)
const avatar = (mode: number) => mediaFile('accounts/avatars/1/original/a.png', mode)
const stray = (mode: number) => mediaFile('robots.txt', mode)
const many = (count: number, file: MediaFile) => Array.from({ length: count }, () => file)

describe('usualModes', () => {
  it.each<[string, MediaFile[], 'open' | 'closed']>([
    ['open files', [attachment(0o644), avatar(0o644)], 'open'],
    ['open for the group', [avatar(0o640), attachment(0o600)], 'open'],
    ['one open file after many closed ones', [...many(9, avatar(0o600)), avatar(0o664)], 'open'],
    ['all closed', [avatar(0o600), attachment(0o600)], 'closed'],
    ['all closed but what a hand put there', [avatar(0o600), stray(0o644)], 'closed'],
    ['media attachments alone may all be suspended', many(500, attachment(0o600)), 'open'],
    ['no files', [], 'open'],
  ])('%s: %s', async (_, files, expected) => {
    expect(await usualModes(new FakeSource(files))).toBe(expected)
  })

  it('reads no further than the first open file', async () => {
    const source = new FakeSource([avatar(0o600), avatar(0o644), ...many(100, avatar(0o600))])
    expect(await usualModes(source)).toBe('open')
    expect(source.batches).toBe(1)
  })

  it('does not list a bucket for it', async () => {
    const source = new FakeSource([avatar(0o600)], { kind: 's3' })
    expect(await usualModes(source)).toBe('open')
    expect(source.batches).toBe(0)
  })
})
