import { plainUi } from './plain.ts'
import type { Render, Ui } from './port.ts'

/** Where the lines of a run are noted, beside its screen. */
export interface Record {
  note(text: string): void
  /** The file; undefined while there is none. */
  readonly path: string | undefined
}

const SAME = [
  'intro',
  'say',
  'warn',
  'note',
  'link',
  'progress',
  'showPlan',
  'showChecks',
  'told',
  'ended',
  'call',
] as const

/**
 * A voice whose words are noted as well, as plain lines, with what was answered. What was typed where
 * nothing shows, and the printed block, are not. The end of a run with a Problem names the file.
 */
export function recorded(ui: Ui, record: Record, render: Render): Ui {
  const words = { write: (text: string) => record.note(text) }
  const noted = plainUi({
    words,
    stdout: { write: () => true },
    stderr: words,
    quiet: false,
    render,
  })
  const same = SAME.map((name) => [
    name,
    (...args: never[]) => {
      const [note, say] = [noted[name], ui[name]] as ((...given: never[]) => void)[]
      note?.(...args)
      say?.(...args)
    },
  ])
  const answered = <Answer>(question: string, answer: Answer, shown = String(answer)): Answer => {
    record.note(`asked   ${question} -> ${shown}`)
    return answer
  }
  return {
    ...ui,
    ...(Object.fromEntries(same) as Pick<Ui, (typeof SAME)[number]>),
    busy(text) {
      record.note(`begin   ${text}`)
      return ui.busy(text)
    },
    started(id, title) {
      record.note(`begin   ${title}`)
      ui.started(id, title)
    },
    ask: async (question) => {
      const answer = await ui.ask(question)
      return answered(question.message, answer, question.masked ? '(not shown)' : answer)
    },
    choose: async (choice) => answered(choice.message, await ui.choose(choice)),
    agree: async (question, safe) => answered(question, await ui.agree(question, safe)),
    finish(report, closing) {
      noted.finish(report, closing)
      const { path } = record
      const isNamed = report.problem !== null && path !== undefined
      const named = isNamed ? [{ title: 'Log of this run', lines: [`  ${path}`] }] : []
      ui.finish(
        { ...report, log: path ?? null },
        { ...closing, sections: [...closing.sections, ...named] },
      )
    },
  }
}
