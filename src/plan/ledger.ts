import { Problem } from '../core/problem.ts'
import type { Outcome, Progress } from './outcome.ts'
import type { Facts, Step } from './step.ts'

/** How the note of a step begins that stays changed against its will. */
export const NOT_TAKEN_BACK = 'could not be taken back'

/** What a run has learned and done so far, step by step. */
export class Ledger {
  readonly #progress: Progress
  readonly #outcomes = new Map<string, Outcome>()
  readonly #warnings = new Set<string>()
  #facts: Partial<Facts>

  constructor(progress: Progress, facts: Partial<Facts>) {
    this.#progress = progress
    this.#facts = facts
  }

  get facts(): Partial<Facts> {
    return this.#facts
  }

  get warnings(): readonly string[] {
    return [...this.#warnings]
  }

  outcomeOf(step: Step): Outcome {
    const { id, title } = step
    const skipped: Outcome = { id, title, status: 'skipped', note: 'not reached', changes: [] }
    const outcome = this.#outcomes.get(id) ?? skipped
    const reached = outcome.unconfirmed ? step.reached?.() : undefined
    return reached === undefined ? outcome : { ...outcome, reached }
  }

  heed(warnings: readonly string[] = []): void {
    for (const warning of warnings) this.#warnings.add(warning)
  }

  learn(facts: Partial<Facts> | undefined): void {
    this.#facts = { ...this.#facts, ...facts }
  }

  /** Told to the one who watches, unless `silent`: then it goes on beside the next steps. */
  record(
    { id, title }: Step,
    status: Outcome['status'],
    note: string,
    changes: Outcome['changes'],
    { silent = false, ...more }: { silent?: boolean; next?: string } = {},
  ): void {
    const outcome = { id, title, status, note, changes, ...more }
    this.#outcomes.set(id, outcome)
    if (!silent) this.#progress.ended(outcome)
  }

  /** What is known of a step until its change has ended: whoever stops the run leaves it like that. */
  begin({ id, title }: Step, changes: Outcome['changes']): void {
    const outcome = { id, title, status: 'failed', note: 'stopped', changes } as const
    this.#outcomes.set(id, { ...outcome, unconfirmed: true })
  }

  /** With the reason: a Problem says there how things stand meanwhile. */
  notTakenBack(step: Step, error: unknown): void {
    const isKnown = error instanceof Problem
    const what = isKnown ? `${sentence(error.what)} ${error.why} ${error.next}` : String(error)
    this.record(step, 'failed', `${NOT_TAKEN_BACK}: ${what}`, [])
  }

  unconfirmed(id: string): void {
    const outcome = this.#outcomes.get(id)
    if (outcome) this.#outcomes.set(id, { ...outcome, unconfirmed: true })
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
