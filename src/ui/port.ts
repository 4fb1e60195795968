import type { Text } from '../core/to-type.ts'
import type { Progress } from '../plan/apply.ts'
import type { Report } from '../plan/report.ts'
import type { Plan } from '../plan/survey.ts'
import type { Checked } from '../plan/verdict.ts'

/** How the program talks: clack on a terminal, plain lines without one, JSON for machines. */
export interface Ui extends Progress {
  /** Somebody is there to answer. Never read by steps. */
  readonly canAsk: boolean
  intro(title: string): void
  say(text: Text): void
  warn(text: Text): void
  /** Several lines that belong together, such as a list of permissions. */
  note(title: string, lines: readonly Text[]): void
  /** An address to open or copy, whole and on lines of its own. */
  link(url: string): void
  /** Shown while something is looked at; the returned function takes it away. */
  busy(text: string): () => void
  /** Where a long work stands, in the place of what was shown before; undefined takes it away. */
  progress(line: string | undefined): void
  /** Asks; throws Cancelled when the person stops. Only called when `canAsk`. */
  ask(question: Question): Promise<string>
  choose(choice: Choice): Promise<string>
  /** `safe`: what the bare Enter key answers; yes unless told. */
  agree(question: string, safe?: 'no'): Promise<boolean>
  showPlan(plan: Plan, settings: Report['settings'], title: string): void
  /** Verdicts, the worst first; only faults where the run is to be quiet. */
  showChecks(checked: readonly Checked[], shown: ChecksShown): void
  /** The printed block, exactly, on standard output. */
  block(text: string): void
  /** One API call, for --verbose. */
  call(line: string): void
  finish(report: Report, closing: Closing): void
}

export interface Question {
  readonly message: string
  readonly hint?: string
  readonly initial?: string
  readonly masked?: boolean
  /** The reason why the answer can't be taken; undefined when it can. */
  readonly fault: (typed: string) => string | undefined
}

export interface Choice {
  readonly message: string
  /** The value that the bare Enter key chooses; the first one unless told. */
  readonly initial?: string
  /** Hints are a column beside the labels, which have one length. */
  readonly isTable?: true
  readonly options: readonly {
    readonly value: string
    readonly label: string
    readonly hint?: string
  }[]
}

/** How Text is told in a run; lines to type say where it was told that Mastodon is. */
export type Render = (text: Text) => string

/** The last words of a run; `sections` are shown in order. */
export interface Closing {
  readonly headline: string
  readonly sections: readonly { readonly title: string; readonly lines: readonly Text[] }[]
  /** Commands of other programs among them, which come first in the report's `next`. */
  readonly next?: readonly Text[]
  /** All went as every day: with --quiet nothing of it is said. */
  readonly isRoutine?: boolean
}

export interface ChecksShown {
  /** Each check with what was seen; the good ones are folded into one line an area otherwise. */
  readonly verbose: boolean
}

/** What a line is about; each voice has its own sign or colour for it. */
export type Tone =
  | 'ready'
  | 'change'
  | 'public'
  | 'destructive'
  | 'fault'
  | 'warning'
  | 'note'
  | 'skipped'
  | 'plain'

export interface Line {
  readonly tone: Tone
  readonly text: string
  /** A plan for something to go: a minus, in the tone's colour. */
  readonly goes?: true
}
