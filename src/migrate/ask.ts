import type { MigrateRun } from './prepare.ts'

const flags = ['cleanMedia', 'cleanProfiles', 'cleanCards', 'cleanOrphans', 'cleanCache'] as const

/** Days; those of Mastodon's docs (admin/setup) for attachments, a month for link previews. */
const MEDIA_DAYS = '7'
const CARD_DAYS = '30'

/** What to clean up, one question each; false when it is nothing. Each command rehearses first. */
export async function askCleanUp({ ui, settings }: MigrateRun): Promise<boolean> {
  const isAnything = () => flags.some((name) => settings.source(name) !== undefined)
  if (isAnything()) return true
  ui.say('Each command only rehearses at first, and shows what it would remove.')
  if (settings.on('onlyLocal')) {
    const all =
      'Let Mastodon forget all media of other servers? It comes back as people look at it; it has to be done before cache/ is left out.'
    if (await ui.agree(all)) settings.offer('cleanCache', true, 'you')
    if (isAnything()) return true
  }
  const media = `Attachments of other servers, older than ${MEDIA_DAYS} days? Each is fetched again when somebody opens it.`
  if (await ui.agree(media)) settings.offer('cleanMedia', MEDIA_DAYS, 'you')
  const profiles = 'Pictures of accounts that nobody here follows?'
  if (await ui.agree(profiles)) settings.offer('cleanProfiles', true, 'you')
  const cards = `Pictures of link previews, older than ${CARD_DAYS} days? They do not come back.`
  if (await ui.agree(cards, 'no')) settings.offer('cleanCards', CARD_DAYS, 'you')
  const orphans = "Files that Mastodon's database does not know? Look at what the rehearsal names."
  if (await ui.agree(orphans, 'no')) settings.offer('cleanOrphans', true, 'you')
  return isAnything()
}
