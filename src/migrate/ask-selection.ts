import { bytesOf, counted } from '../core/amounts.ts'
import type { MediaSurvey } from '../plan/report-schema.ts'
import type { MigrateRun } from './prepare.ts'

/**
 * Before the first copy, what nobody should decide for the person: whether media of other servers,
 * of suspended users, and private files go along. What a flag has said already is not asked.
 */
export async function askSelection(
  { ui, settings }: MigrateRun,
  { copied, onlyLocal, suspended, private: secret }: MediaSurvey,
): Promise<void> {
  const open = (name: 'onlyLocal' | 'withSuspended' | 'withPrivate') =>
    settings.source(name) === undefined
  const take = (name: 'onlyLocal' | 'withSuspended' | 'withPrivate') =>
    settings.offer(name, true, 'you')
  if (onlyLocal && open('onlyLocal') && settings.source('skip') === undefined) {
    const answer = await ui.choose({
      message: 'What should be copied?',
      options: [
        {
          value: 'all',
          label: 'Everything',
          hint: `${counted(copied.objects, 'file')}, ${bytesOf(copied.bytes)}`,
        },
        {
          value: 'local',
          label: 'Without the media of other servers',
          hint: `${counted(onlyLocal.copied.objects, 'file')}, ${bytesOf(onlyLocal.copied.bytes)}`,
        },
      ],
    })
    if (answer === 'local') {
      take('onlyLocal')
      const first =
        'Mastodon shows what its database says is there. So it has to forget the media of other servers first, or pictures stay broken for months. Clear it now, with a rehearsal before?'
      if (await ui.agree(first)) settings.offer('cleanCache', true, 'you')
      else ui.say('Before the cut-over: npx mastodon-r2 migrate --stage cleanup --clean-cache')
    }
  }
  if (suspended.objects > 0 && open('withSuspended')) {
    const many = counted(suspended.objects, 'file')
    const yes = await ui.agree(
      `${many} can be read by nobody but Mastodon: media of suspended users, most likely. R2 has no such protection. Copy them too, and so publish them?`,
      'no',
    )
    if (yes) take('withSuspended')
  }
  if (secret.objects > 0 && open('withPrivate')) {
    const yes = await ui.agree(
      `${counted(secret.objects, 'file')} in backups/ and imports/ are private. On R2 whoever has an address there can read it. Copy them too?`,
      'no',
    )
    if (yes) take('withPrivate')
  }
}
