/** A kind of media as Mastodon stores it (app/models/concerns, `has_attached_file`). */
export interface MediaClass {
  /** Keys begin so. */
  readonly folder: string
  /** Records in a thousand. */
  readonly share: number
  /** Ids that hold a time (Mastodon's snowflakes), or row numbers. */
  readonly ids: 'snowflake' | 'row'
  readonly extensions: readonly [string, ...string[]]
  /** Folders below the id, and what they hold; undefined: what the original is. */
  readonly styles: Readonly<Record<string, string | undefined>>
}

const pictures = ['jpg', 'jpg', 'png', 'gif', 'webp'] as const
const uploads = [...pictures, ...pictures, ...pictures, 'mp4', 'ogg'] as const
const original = { original: undefined }
const both = { original: undefined, static: 'png' }
const sized = { original: undefined, small: 'png' }

export const mediaClasses: readonly MediaClass[] = [
  own('accounts/avatars', 20, 'snowflake', pictures, both),
  own('accounts/headers', 15, 'snowflake', pictures, original),
  own('media_attachments/files', 110, 'snowflake', uploads, sized),
  own('media_attachments/thumbnails', 8, 'snowflake', pictures, original),
  own('custom_emojis/images', 25, 'row', ['png', 'gif', 'webp'], both),
  own('site_uploads/files', 2, 'row', pictures, {
    original: undefined,
    '@1x': 'png',
    '@2x': 'png',
  }),
  own('backups/dumps', 2, 'row', ['zip'], original),
  own('imports/data', 2, 'row', ['csv'], original),
  own('cache/accounts/avatars', 190, 'snowflake', pictures, both),
  own('cache/accounts/headers', 120, 'snowflake', pictures, original),
  own('cache/media_attachments/files', 310, 'snowflake', uploads, sized),
  own('cache/media_attachments/thumbnails', 16, 'snowflake', pictures, original),
  own('cache/custom_emojis/images', 80, 'row', ['png', 'gif'], both),
  own('cache/preview_cards/images', 100, 'row', ['jpg', 'png', 'webp'], original),
]

function own(
  folder: string,
  share: number,
  ids: MediaClass['ids'],
  extensions: MediaClass['extensions'],
  styles: MediaClass['styles'],
): MediaClass {
  return { folder, share, ids, extensions, styles }
}
