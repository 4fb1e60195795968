import type { Ended } from '../flow/flow.ts'
import type { World } from '../plan/step.ts'
import type { Closing } from '../ui/port.ts'

interface RotateEnded extends Ended {
  readonly world: World
  readonly again: string
}

type Section = Closing['sections'][number]

/** The last words of `rotate`: whether the old key is gone, and what is left for the person. */
export function rotateClosing(ended: RotateEnded): Closing {
  const { report } = ended
  if (report.problem) {
    const done = report.steps.filter(({ status }) => status === 'changed').length
    const headline =
      done === 0 ? 'The old key stays in use.' : 'Not finished. Uploads go on working.'
    return { headline, sections: goOn(ended) }
  }
  if (report.dryRun) {
    const carryOut = { title: 'To carry it out', lines: [`  ${ended.again}`] }
    return { headline: 'That is the plan. Nothing was changed.', sections: [carryOut] }
  }
  const open = report.steps.filter(({ status }) => status === 'skipped')
  if (open.length === 0) {
    return {
      headline: 'Rotated: the new key is in use, the old one is gone.',
      sections: env(ended),
    }
  }
  const [first] = open
  const isRestart = first?.id === 'restart' || first?.id === 'processes'
  const headline = isRestart
    ? 'The new key is in the env file. The old key stays active until Mastodon uses the new one.'
    : 'The new key is in use; the old one is still active.'
  return { headline, sections: [...env(ended), ...left(ended), ...(isRestart ? goOn(ended) : [])] }
}

function env({ facts }: RotateEnded): Section[] {
  const written = facts.envWritten
  if (!written || written.diff.length === 0) return []
  const lines = written.diff.map((line) => `  ${line}`)
  const backup = written.backup === undefined ? [] : [`The file as it was: ${written.backup}`]
  return [{ title: `Changed in ${written.file}`, lines: [...lines, ...backup] }]
}

/** The commands that are left to a person, and what else could not be done in this run. */
function left({ report, again }: RotateEnded): Section[] {
  const commands = report.next.filter((line) => line !== again)
  const notes = report.steps.filter(
    ({ id, status, note }) =>
      status === 'skipped' &&
      !note.startsWith('waits for:') &&
      !(id === 'restart' && commands.length > 0),
  )
  const sections = [
    {
      title: 'Restart Mastodon, so that it uses the new key',
      lines: commands.map((line) => `  ${line}`),
    },
    { title: 'What is left', lines: notes.map(({ title, note }) => `${title}: ${note}`) },
  ]
  return sections.filter(({ lines }) => lines.length > 0)
}

function goOn({ again }: RotateEnded): Section[] {
  return [{ title: 'To go on from here (no second key is made)', lines: [`  ${again}`] }]
}
