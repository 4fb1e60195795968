import { shellLine, shellWord } from '../core/shell-word.ts'
import { asRoot, prose, type Text, type ToType, toType } from '../core/to-type.ts'
import { leftOut, skippedSteps } from '../flow/carry-out.ts'
import type { Ended } from '../flow/run.ts'
import type { Setup } from '../plan/step.ts'
import { rehearsalOver } from '../rehearse/rehearsed.ts'
import { restartCommands } from '../services/mastodon/service-control.ts'
import type { Closing } from '../ui/port.ts'
import { type BlockFormat, blockForms } from './formats.ts'
import { bringOut } from './hidden-media.ts'
import { type Freshness, linesOf } from './restart.ts'

interface InitEnded extends Ended {
  readonly setup: Setup
  readonly again: ToType
  readonly isRehearsal: boolean
  /** The rehearsal goes on when this run ends. */
  readonly goesOn?: boolean
  /** The line that moves media to what was prepared. */
  readonly toMigrate: ToType
  /** Another media host was announced on a server that is on R2 already. */
  readonly isHostChange?: boolean
  readonly format?: BlockFormat
  /** Whether Mastodon had read its env file as that was before this run; undefined when nobody looked. */
  readonly freshness?: Freshness | undefined
}

type Section = Closing['sections'][number]

/** The last words of `init`: what was done to the env file, and what is left for the person. */
export function initClosing(ended: InitEnded): Closing {
  const { report, isRehearsal } = ended
  if (report.problem) {
    if (isRehearsal) {
      return { headline: 'The rehearsal ends here; nothing of yours was changed.', sections: [] }
    }
    const sections = [...goOn(ended), ...restartLeft(ended)]
    return { headline: unfinished(ended), sections, next: restartsIn(sections) }
  }
  const headline = headlineOf(ended)
  const sections = report.dryRun
    ? [...leftOut(ended), ...goOn(ended), ...restartLeft(ended)]
    : [...envSection(ended), ...leftOut(ended), ...leftAndAgain(ended)]
  const last = isRehearsal ? rehearsalOver({ isKept: ended.goesOn === true }, toType('init')) : []
  return { headline, sections: [...sections, ...last], next: restartsIn(sections) }
}

function headlineOf(ended: InitEnded): string {
  const { report, setup, isHostChange, freshness } = ended
  if (report.dryRun) return 'That is the plan. Nothing was changed.'
  const changed = report.steps.some(({ status }) => status === 'changed')
  if (!changed) {
    if (freshness?.is === 'old' && restartLeft(ended).length > 0) {
      return 'All is written already, nothing was changed; Mastodon was not seen to have read it.'
    }
    return skippedSteps(report).length > 0
      ? 'Nothing was changed; what was left out is told below.'
      : 'All is set up already; nothing was changed.'
  }
  if (isHostChange) return `${setup.mediaHost} is ready; Mastodon still uses the host it did.`
  if (setup.target.kind === 'print') return 'R2 is ready; the settings are printed above.'
  return setup.storage === 'prepare'
    ? 'R2 is ready and proven; Mastodon still stores media where it did.'
    : 'R2 is ready and proven.'
}

/** The headline of a run that did not come to its end. */
export function unfinished({ report }: Pick<Ended, 'report'>): string {
  const done = report.steps.filter(({ status }) => status === 'changed').length
  if (done === 1) return 'Not finished; 1 step done stays done.'
  if (done > 1) return `Not finished; ${done} steps done stay done.`
  // A step that failed, or was stopped, may have done a part of its work.
  const begun = report.steps.some(({ status }) => status === 'failed')
  return begun ? 'Not finished.' : 'Nothing was changed.'
}

function goOn({ again, isRehearsal }: InitEnded): Section[] {
  if (isRehearsal) return []
  return [{ title: 'To go on from here', lines: [prose`  ${again}`] }]
}

function repeat({ again, isRehearsal }: InitEnded): Section[] {
  if (isRehearsal) return []
  return [{ title: 'The same without questions', lines: [prose`  ${again}`] }]
}

function envSection({ facts, setup }: InitEnded): Section[] {
  const written = facts.envWritten
  if (setup.target.kind === 'print') return paste(setup)
  if (!written || written.diff.length === 0) return []
  const backup = written.backup === undefined ? [] : [`The file as it was: ${written.backup}`]
  return [
    {
      title: `Changed in ${written.file}`,
      lines: [
        ...written.diff.filter((line) => line.trim() !== '+').map((line) => `  ${line}`),
        ...backup,
      ],
    },
  ]
}

function paste(setup: Setup): Section[] {
  if (isForElsewhere(setup)) return []
  const command = asRoot(`sh -c 'umask 077; cat >> "$0"' ${shellWord(placeOf(setup))}`)
  return [
    {
      title: 'Put the block into its file (the last line about a setting wins)',
      lines: ['Run this, paste the block, then press Ctrl-D:', prose`  ${command}`],
    },
  ]
}

function placeOf({ target }: Setup): string {
  return target.kind === 'file' ? target.file.path : target.path
}

/** Where nothing was done, the last words are what is left of an earlier run. */
function leftAndAgain(ended: InitEnded): Section[] {
  return ended.report.steps.some(({ status }) => status === 'changed')
    ? [...whatIsLeft(ended), ...repeat(ended)]
    : [...repeat(ended), ...restartLeft(ended)]
}

function whatIsLeft(ended: InitEnded): Section[] {
  const { setup, facts, isRehearsal, format } = ended
  const away = isRehearsal ? [] : tokenAway(facts)
  if (ended.isHostChange) return [afterAnnouncement(setup), ...away]
  if (format === 'terraform-import') return away
  if (setup.storage === 'prepare') {
    return [afterPrepare(ended), ...away]
  }
  const saysHow = format !== undefined && blockForms[format].saysHow
  const isPrinted = setup.target.kind === 'print'
  const isNew = isPrinted || (facts.envWritten?.changed.length ?? 0) > 0
  return [
    ...(isPrinted && !saysHow ? [restart(setup, isRehearsal)] : []),
    ...(isPrinted ? [] : restartLeft(ended)),
    ...(isNew ? [oldLinks(setup)] : []),
    ...away,
  ]
}

/**
 * Until every process was seen to be younger than the file that holds the settings, whichever run
 * wrote them and however this one ended.
 */
function restartLeft({ setup, report, facts, freshness, ...ended }: InitEnded): Section[] {
  const written = facts.envWritten
  if (setup.storage !== 'switch' || ended.isHostChange || !written?.file) return []
  if (report.steps.some(({ status }) => status === 'would-change')) return []
  if (written.changed.length > 0) return [restart(setup, ended.isRehearsal)]
  if (ended.isRehearsal || !freshness || freshness.is === 'fresh') return []
  const { title, lines } = restart(setup)
  if (freshness.is === 'old') {
    const names = freshness.names.join(', ')
    return [
      { title, lines: [...lines, `Not seen to have read ${written.file} as it is: ${names}.`] },
    ]
  }
  return [{ title: `${title}, unless you have restarted it since`, lines }]
}

const RESTART = 'Restart Mastodon, so that it uses the settings'

/** The commands of what `restart` says, for the report; all of it where a file is changed between them. */
export function restartsIn(sections: readonly Section[]): Text[] {
  const restarts = sections.filter(({ title }) => title.startsWith(RESTART))
  return restarts.flatMap(({ lines }) =>
    lines.some((line) => String(line).startsWith('  - '))
      ? [lines.reduce((above, line) => prose`${above}\n${line}`)]
      : lines.filter((line) => String(line).startsWith('  ')),
  )
}

export function restart(
  { installation }: Pick<Setup, 'installation'>,
  isRehearsal = false,
): Section {
  const title = isRehearsal
    ? 'For real, Mastodon is restarted then, so that it uses the settings'
    : RESTART
  const { kind, dir, units, pumaWorkers, neighbours = [] } = installation
  const isKnown = units.web.length > 0 && units.sidekiq.length > 0
  if (kind === 'systemd' && neighbours.length > 0 && !isKnown) {
    return {
      title,
      lines: [
        `Restart the units (web and Sidekiq) of the Mastodon in ${dir}. Their names are not known here; those called mastodon-… run another one, in ${neighbours.join(', ')}.`,
      ],
    }
  }
  if (kind === 'docker') {
    return {
      title,
      lines: [
        ...bringOut(installation),
        `  ${linesOf(restartCommands(installation, { asRoot: true }))}`,
        '("docker compose restart" would keep the old settings.)',
      ],
    }
  }
  const elsewhere =
    kind === 'none' && !isRehearsal
      ? [
          `No Mastodon was seen here: if it runs elsewhere, carry what is new in ${installation.envFile.path} there first.`,
        ]
      : []
  const sidekiq = units.sidekiq.length > 0 ? units.sidekiq : ['mastodon-sidekiq*']
  const web = units.web.length > 0 ? units.web : ['mastodon-web']
  return {
    title,
    lines: pumaWorkers
      ? [
          prose`  ${asRoot(`systemctl restart ${shellLine(sidekiq)}`)}`,
          prose`  ${asRoot(`systemctl reload ${shellLine(web)}`)}`,
          'Requests wait while Rails boots; 12 to 33 s were seen.',
        ]
      : [
          prose`  ${asRoot(`systemctl restart ${shellLine([...sidekiq, ...web])}`)}`,
          'Pages are away while Rails boots; 12 to 33 s were seen.',
          ...elsewhere,
        ],
  }
}

function afterPrepare({ setup, toMigrate }: InitEnded): Section {
  const keys = isForElsewhere(setup)
    ? `the keys are in the printed block alone. For what comes next they have to be in ${placeOf(setup)}, in the form of --format env.`
    : `the keys are in ${placeOf(setup)}.`
  return {
    title: 'What is left',
    lines: [
      `Nothing changes for visitors yet; ${keys} Move the media next, while Mastodon runs. You are asked before it is switched:`,
      prose`  ${toMigrate}`,
    ],
  }
}

/** Whoever asked for printing may put the block anywhere; others are told where it goes. */
function isForElsewhere({ target }: Setup): boolean {
  return target.kind === 'print' && target.reason === '--print'
}

function afterAnnouncement({ mediaHost }: Setup): Section {
  return {
    title: 'What is left',
    lines: [
      prose`Seven days after the announcement (${toType('check')} tells the day), use the new host:`,
      prose`  ${toType('init', { mediaHost })}`,
    ],
  }
}

function oldLinks({ installation, mediaHost }: Setup): Section {
  const domain = installation.webDomain ?? installation.localDomain ?? 'your instance'
  return {
    title: 'Worth knowing',
    lines: [
      prose`New uploads go to R2. Old links to https://${domain}/system/... need a redirect to https://${mediaHost}/... if media was stored here before: ${toType('redirects')}`,
      'R2 has no per-file permissions: files of suspended users stay readable for those who know the address.',
    ],
  }
}

function tokenAway({ token }: InitEnded['facts']): Section[] {
  if (!token) return []
  const place =
    token.kind === 'account'
      ? 'https://dash.cloudflare.com/?to=/:account/api-tokens'
      : 'https://dash.cloudflare.com/profile/api-tokens'
  const until =
    token.expiresOn === undefined ? 'it never expires' : `valid until ${token.expiresOn}`
  const title = `Delete the API token of this setup (${until}); Mastodon's key is another one`
  return [{ title, lines: [`  ${place}`] }]
}
