import { type CutoverVariant, variantWords } from './cutover/cutover.ts'
import type { MigrateRun } from './prepare.ts'

/** How much of Mastodon rests during the switch. */
export async function askVariant({ ui, settings }: MigrateRun): Promise<void> {
  if (settings.on('stop') || settings.on('noDowntime')) return
  const option = (value: CutoverVariant, label: string) => ({
    value,
    label,
    hint: variantWords[value],
  })
  const answer = await ui.choose({
    message: 'How should Mastodon be switched?',
    options: [
      option('quiet', 'With Sidekiq at rest'),
      option('stop', 'With Mastodon stopped'),
      option('no-downtime', 'While all of it runs'),
    ],
  })
  if (answer === 'stop') settings.offer('stop', true, 'you')
  if (answer === 'no-downtime') settings.offer('noDowntime', true, 'you')
}
