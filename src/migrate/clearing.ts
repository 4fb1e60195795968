/** One command of tootctl that makes media fewer, and what it means for people. */
export interface Clearing {
  /** Stable: the step is called by it. */
  readonly id: string
  readonly title: string
  readonly args: readonly string[]
  /** `emoji purge` has no --dry-run, and would refuse it or worse. */
  readonly rehearses: boolean
  /** What is gone afterwards, and how it comes back. */
  readonly loses: string
}

/** Which of them the person wants; each with its own flag. Days are ages in whole days. */
export interface ClearingWishes {
  /** `media remove`: attachments of other servers that are older. */
  readonly mediaDays?: number | undefined
  /** `media remove --prune-profiles`: pictures of accounts that nobody here follows. */
  readonly profiles?: boolean
  readonly previewCardDays?: number | undefined
  /** `media remove-orphans`: files that no record of the database knows. */
  readonly orphans?: boolean
  /** Everything in cache/, before that is left out of the migration. */
  readonly allRemote?: boolean
}

/**
 * The commands in an order that does the work once (options as in Mastodon 4.2 to 4.6, its
 * lib/mastodon/cli). Mastodon shows what its database says is there, so files of `cache/` may only
 * stay behind once the database knows that they are gone.
 */
export function clearings(wishes: ClearingWishes): readonly Clearing[] {
  const { mediaDays, profiles = false, previewCardDays, orphans = false } = wishes
  const found: Clearing[] = []
  if (wishes.allRemote) found.push(...everythingRemote)
  else {
    if (mediaDays !== undefined) found.push(media(mediaDays))
    if (profiles) found.push(unfollowedProfiles)
    if (previewCardDays !== undefined) found.push(previewCards(previewCardDays))
  }
  if (orphans) found.push(orphanedFiles)
  return found
}

/**
 * For after the switch: pictures of accounts do not come back by being looked at. What is fetched
 * before the switch would land in the `cache/` that stays behind.
 */
export const refillArgs: readonly string[] = ['accounts', 'refresh', '--all']

function media(days: number): Clearing {
  return {
    id: 'clear-media',
    title: 'Old media of other servers',
    args: ['media', 'remove', '--days', String(days)],
    rehearses: true,
    loses: 'attachments of other servers; each is fetched again when somebody opens it',
  }
}

const unfollowedProfiles: Clearing = {
  id: 'clear-profiles',
  title: 'Profile pictures',
  args: ['media', 'remove', '--prune-profiles'],
  rehearses: true,
  loses:
    'avatars and headers of accounts that nobody here follows; they come back with news of them',
}

function previewCards(days: number): Clearing {
  return {
    id: 'clear-cards',
    title: 'Preview cards',
    args: ['preview_cards', 'remove', '--days', String(days)],
    rehearses: true,
    loses: 'pictures of link previews; of old posts they do not come back',
  }
}

const orphanedFiles: Clearing = {
  id: 'clear-orphans',
  title: 'Orphaned files',
  args: ['media', 'remove-orphans'],
  rehearses: true,
  loses: 'files that the database does not know; look at what the rehearsal names',
}

const everythingRemote: readonly Clearing[] = [
  media(0),
  {
    ...unfollowedProfiles,
    args: ['media', 'remove', '--prune-profiles', '--include-follows', '--days', '0'],
    loses:
      'avatars and headers of all remote accounts; tootctl accounts refresh --all after the switch fetches them again (slow), quiet accounts stay blank without it',
  },
  {
    id: 'clear-emoji',
    title: 'Emoji of other servers',
    args: ['emoji', 'purge', '--remote-only'],
    rehearses: false,
    loses: 'emoji of other servers; they come back with new posts',
  },
  previewCards(0),
]
