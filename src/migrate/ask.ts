import { bytesOf, counted, duration } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import { runnerOf } from '../flow/world.ts'
import type { CutoverVariant } from '../moving/quiet.ts'
import type { MediaSurvey } from '../plan/report-schema.ts'
import type { Checkpoint } from '../services/checkpoint/port.ts'
import { commandLine } from '../services/process/port.ts'
import type { RclonePort } from '../services/rclone/port.ts'
import { variantWords } from './cutover/cutover.ts'
import type { MigrateRun, Selection } from './migration.ts'

const flags = ['cleanMedia', 'cleanProfiles', 'cleanCards', 'cleanOrphans', 'cleanCache'] as const

/** Days; those of Mastodon's docs (admin/setup) for attachments, a month for link previews. */
const MEDIA_DAYS = '7'
const CARD_DAYS = '30'
const HOUR_MS = 3_600_000

/** What to clean up, one question each; false when it is nothing. Each command rehearses first. */
export async function askCleanup({ ui, settings }: MigrateRun): Promise<boolean> {
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
          hint: `${counted(onlyLocal.copied.objects, 'file')}, ${bytesOf(onlyLocal.copied.bytes)}; ${savedWords(onlyLocal.saves)} less`,
        },
      ],
    })
    if (answer === 'local') {
      take('onlyLocal')
      const first =
        'Mastodon shows what its database says is there. So it has to forget the media of other servers first, or pictures stay broken for months. Clear it now, with a rehearsal before?'
      if (await ui.agree(first)) settings.offer('cleanCache', true, 'you')
      else
        ui.say(
          prose`Before the cut-over: ${toType('migrate', { stage: 'cleanup', cleanCache: true })}`,
        )
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

function savedWords({
  objects,
  bytes,
  hours,
}: NonNullable<MediaSurvey['onlyLocal']>['saves']): string {
  return `${counted(objects, 'file')}, ${bytesOf(bytes)} and about ${duration(hours * HOUR_MS)}`
}

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

const NAMES = ['onlyLocal', 'skip', 'withPrivate', 'withSuspended'] as const

/**
 * What is copied: as the flags say, else as the runs before. A run without flags must not bring what
 * an earlier one left out on purpose.
 */
export function chooseSelection(
  { settings }: MigrateRun,
  checkpoint: Checkpoint | undefined,
): Selection {
  const isGiven = NAMES.some((name) => settings.source(name) !== undefined)
  const earlier = isGiven ? undefined : earlierSelection(checkpoint)
  return {
    onlyLocal: earlier?.onlyLocal ?? settings.on('onlyLocal'),
    skip: earlier?.skip ?? settings.get('skip') ?? [],
    withPrivate: earlier?.withPrivate ?? settings.on('withPrivate'),
    withSuspended: earlier?.withSuspended ?? settings.on('withSuspended'),
  }
}

/** The rules as the checkpoint keeps them; undefined where there are none. */
function earlierSelection(checkpoint: Checkpoint | undefined): Partial<Selection> | undefined {
  try {
    const rules: unknown = JSON.parse(checkpoint?.selection ?? '')
    return typeof rules === 'object' && rules !== null ? rules : undefined
  } catch {
    return undefined
  }
}

/** Where rclone is missing, installs it if the person wants that; else the copy says what to type. */
export async function offerRclone({ ui, host }: MigrateRun, rclone: RclonePort): Promise<void> {
  try {
    await rclone.version()
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'rclone-missing') return
    const { installCommand } = await import('../services/rclone/commands.ts')
    const found = await installCommand()
    if (!found) return
    const asRoot = { ...found, program: 'sudo', args: [found.program, ...found.args] }
    const command = host.userId === 0 ? found : asRoot
    const line = commandLine(command)
    if (!(await ui.agree(`${error.what} Install it now? This runs: ${line}`))) return
    const done = ui.busy(`Running ${line}`)
    const { exitCode } = await runnerOf(host).run(command).finally(done)
    if (exitCode !== 0) ui.warn(`That did not work. Try it in another terminal: ${line}`)
  }
}
