import type { Ended } from '../flow/flow.ts'
import { restart, unfinished } from '../setup/closing.ts'
import type { PreparedSetup } from '../setup/prepare.ts'
import { flagsIn } from '../setup/undoing.ts'
import type { Closing } from '../ui/port.ts'

interface UndoEnded extends Ended {
  readonly prepared: PreparedSetup
  readonly again: string
}

type Section = Closing['sections'][number]

/** The last words of `undo`: what is as before, what stays and why, and what is left to do. */
export function undoClosing(ended: UndoEnded): Closing {
  const { report } = ended
  if (report.problem || report.dryRun) {
    const headline = report.problem ? unfinished(ended) : 'That is the plan. Nothing was changed.'
    return { headline, sections: [...left(ended), goOn(ended)] }
  }
  return { headline: headlineOf(ended), sections: [...envSection(ended), ...left(ended)] }
}

function headlineOf({ report }: UndoEnded): string {
  const some = (wanted: string) => report.steps.some(({ status }) => status === wanted)
  if (some('changed'))
    return some('skipped') ? 'Taken back, but for what stays.' : 'All taken back.'
  return some('skipped')
    ? 'Nothing was changed; what is left stays.'
    : 'Nothing is left to take back.'
}

function goOn({ again }: UndoEnded): Section {
  return { title: 'To go on from here', lines: [`  ${again}`] }
}

function envSection({ facts, prepared }: UndoEnded): Section[] {
  const written = facts.envWritten
  if (!written) return []
  const changed: Section = {
    title: `${written.file} as it was until now`,
    lines: [
      `  ${written.backup}`,
      'Delete it and the other backups beside it when you no longer need them: they hold the passwords of Mastodon.',
    ],
  }
  if (!prepared.remembered.switchedOn) return [changed]
  const { title, lines } = restart(prepared.world.setup)
  return [changed, { title: `${title}; until then uploads may fail`, lines }]
}

/** What this run left, with the command that takes it, too. */
function left({ report, again }: UndoEnded): Section[] {
  const staying = report.steps.filter(({ status, note }) => {
    return status === 'skipped' && note.startsWith('stays: ')
  })
  if (staying.length === 0) return []
  const flags = flagsIn(staying.map(({ note }) => note))
  const list = staying.map(({ title, note }) => `${title} ${note}`)
  const command = `  ${again.replace(/ --yes$/, '')} ${flags.join(' ')} --yes`
  const more: Section[] =
    flags.length === 0 ? [] : [{ title: 'To take that back, too', lines: [command] }]
  return [{ title: 'What stays', lines: list }, ...more]
}
