import { describe, expect, it } from 'vitest'
import { classOf } from '../../src/plan/report-schema.ts'

const ID = '109/876/543/210/123/456'

describe('classOf', () => {
  it.each([
    [`accounts/avatars/${ID}/original/0123456789abcdef.png`, 'avatars', 'lost'],
    [`accounts/headers/${ID}/original/0123456789abcdef.png`, 'headers', 'lost'],
    [`media_attachments/files/${ID}/small/0123456789abcdef.png`, 'attachments', 'lost'],
    [`media_attachments/thumbnails/${ID}/original/a.png`, 'attachments', 'lost'],
    ['custom_emojis/images/000/012/345/static/a.png', 'emoji', 'lost'],
    ['site_uploads/files/000/000/001/@1x/a.png', 'siteUploads', 'lost'],
    [`cache/accounts/avatars/${ID}/original/a.png`, 'cachedAvatars', 'again'],
    [`cache/accounts/headers/${ID}/original/a.png`, 'cachedHeaders', 'again'],
    [`cache/media_attachments/files/${ID}/original/a.png`, 'cachedAttachments', 'again'],
    ['cache/custom_emojis/images/000/000/001/original/a.png', 'cachedEmoji', 'again'],
    ['cache/preview_cards/images/000/000/001/original/a.png', 'previewCards', 'again'],
    ['preview_cards/images/000/000/001/original/a.png', 'previewCards', 'again'],
    ['backups/dumps/000/000/001/original/archive.zip', 'backups', 'again, private'],
    ['imports/data/000/000/001/original/a.csv', 'imports', 'lost, private'],
    ['cache/something', 'cachedOther', 'lost'],
    ['robots.txt', 'other', 'lost'],
    ['accounts', 'other', 'lost'],
    ['', 'other', 'lost'],
  ])('%s: %s, %s', (key, name, traits) => {
    const found = classOf(key)
    expect(found.name).toBe(name)
    expect((found.again ? 'again' : 'lost') + (found.private ? ', private' : '')).toBe(traits)
  })
})
