/** A kind of media that Mastodon stores below a prefix of its own. */
export interface MediaClass {
  /** Stable: the JSON report names classes by it. */
  readonly name: string
  readonly title: string
  readonly prefix: string
  /** How Mastodon gets it again, words for a table with tootctl commands; undefined: it is lost. */
  readonly again?: string
  /** Not meant for everyone who has the address. */
  readonly private?: true
  /** Suspending an account takes these files' permissions away, and those of no other class. */
  readonly closable?: true
}

const CARDS = 'with new posts only; old ones stay without'

/** From Mastodon's attachment definitions; the first prefix that fits counts. */
export const mediaClasses: readonly MediaClass[] = [
  { name: 'avatars', title: 'avatars', prefix: 'accounts/avatars/' },
  { name: 'headers', title: 'headers', prefix: 'accounts/headers/' },
  { name: 'attachments', title: 'attachments', prefix: 'media_attachments/', closable: true },
  { name: 'emoji', title: 'emoji', prefix: 'custom_emojis/' },
  { name: 'siteUploads', title: 'site uploads', prefix: 'site_uploads/' },
  {
    name: 'cachedAvatars',
    title: 'avatars of others',
    prefix: 'cache/accounts/avatars/',
    again: 'tootctl accounts refresh --all',
  },
  {
    name: 'cachedHeaders',
    title: 'headers of others',
    prefix: 'cache/accounts/headers/',
    again: 'tootctl accounts refresh --all',
  },
  {
    name: 'cachedAttachments',
    title: 'attachments of others',
    prefix: 'cache/media_attachments/',
    again: 'when looked at, after media remove --days 0',
    closable: true,
  },
  {
    name: 'cachedEmoji',
    title: 'emoji of others',
    prefix: 'cache/custom_emojis/',
    again: 'with new posts, after emoji purge --remote-only',
  },
  { name: 'previewCards', title: 'preview cards', prefix: 'cache/preview_cards/', again: CARDS },
  // Before 3.1.4 there was no cache/.
  { name: 'previewCards', title: 'preview cards', prefix: 'preview_cards/', again: CARDS },
  {
    name: 'backups',
    title: 'archives of users',
    prefix: 'backups/',
    again: 'users ask for a new one; kept for 7 days',
    private: true,
  },
  { name: 'imports', title: 'imports (leftovers)', prefix: 'imports/', private: true },
  {
    name: 'cachedOther',
    title: 'other below cache/',
    prefix: 'cache/',
  },
  { name: 'other', title: 'other', prefix: '' },
]

const other: MediaClass = { name: 'other', title: 'other', prefix: '' }

/** The class of an object key. */
export function classOf(key: string): MediaClass {
  return mediaClasses.find(({ prefix }) => key.startsWith(prefix)) ?? other
}
