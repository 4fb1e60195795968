import { unlessStopped } from '../core/clock.ts'
import { Cancelled, Problem } from '../core/problem.ts'
import { prose, type Text } from '../core/to-type.ts'
import type { Change, Facts, Finding, StepIn, World } from './step.ts'
import { factsOf, lookAt, type Plan } from './survey.ts'

/** How a step ended. */
export interface Outcome {
  readonly id: string
  readonly title: string
  readonly status: 'ready' | 'changed' | 'failed' | 'blocked' | 'skipped'
  readonly note: Text
  readonly changes: readonly Change[]
  /** Carried out, but the run ended before it could be seen to have worked. */
  readonly unconfirmed?: true
  /** How far it came by then. */
  readonly reached?: string
  /** What to type before the next run can do what this one left. */
  readonly next?: Text
}

/** Told while the steps run; knows nothing of screens. */
export interface Progress {
  started(id: string, title: string): void
  told(id: string, title: string, state: string): void
  ended(outcome: Outcome): void
}

type Named = Pick<StepIn<never>, 'id' | 'title'>

/** How the note of a step begins that stays changed against its will. */
export const NOT_TAKEN_BACK = 'could not be taken back'

/** What a run has learned and done so far, step by step. */
class Ledger {
  readonly #progress: Progress
  readonly #outcomes = new Map<string, Outcome>()
  readonly #warnings = new Map<string, Text>()
  #facts: Partial<Facts>

  constructor(progress: Progress, facts: Partial<Facts>) {
    this.#progress = progress
    this.#facts = facts
  }

  get facts(): Partial<Facts> {
    return this.#facts
  }

  get warnings(): readonly Text[] {
    return [...this.#warnings.values()]
  }

  outcomeOf(step: Named & Pick<StepIn<never>, 'reached'>): Outcome {
    const { id, title } = step
    const skipped: Outcome = { id, title, status: 'skipped', note: 'not reached', changes: [] }
    const outcome = this.#outcomes.get(id) ?? skipped
    const reached = outcome.unconfirmed ? step.reached?.() : undefined
    return reached === undefined ? outcome : { ...outcome, reached }
  }

  heed(warnings: readonly Text[] = []): void {
    for (const warning of warnings) this.#warnings.set(String(warning), warning)
  }

  learn(facts: Partial<Facts> | undefined): void {
    this.#facts = { ...this.#facts, ...facts }
  }

  /** Told to the one who watches, unless `silent`: then it goes on beside the next steps. */
  record(
    { id, title }: Named,
    status: Outcome['status'],
    note: Text,
    changes: Outcome['changes'],
    { silent = false, ...more }: { silent?: boolean; next?: Text } = {},
  ): void {
    const outcome = { id, title, status, note, changes, ...more }
    this.#outcomes.set(id, outcome)
    if (!silent) this.#progress.ended(outcome)
  }

  /** What is known of a step until its change has ended: whoever stops the run leaves it like that. */
  begin({ id, title }: Named, changes: Outcome['changes']): void {
    const outcome = { id, title, status: 'failed', note: 'stopped', changes } as const
    this.#outcomes.set(id, { ...outcome, unconfirmed: true })
  }

  /** With the reason: a Problem says there how things stand meanwhile. */
  notTakenBack(step: Named, error: unknown): void {
    const isKnown = error instanceof Problem
    const what = isKnown ? prose`${sentence(error.what)} ${error.why} ${error.next}` : String(error)
    this.record(step, 'failed', prose`${NOT_TAKEN_BACK}: ${what}`, [])
  }

  unconfirmed(id: string): void {
    const outcome = this.#outcomes.get(id)
    if (outcome) this.#outcomes.set(id, { ...outcome, unconfirmed: true })
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

export interface Applied {
  readonly outcomes: readonly Outcome[]
  readonly facts: Partial<Facts>
  readonly warnings: readonly Text[]
  readonly problem: Problem | undefined
  readonly cancelled: boolean
}

export interface ApplyOptions {
  readonly signal?: AbortSignal | undefined
  /** The survey, when it is seconds old: its looks hold until the first change. */
  readonly looked?: Plan | undefined
  /** Told of what must not be cut off; the returned function is called at its end. */
  readonly hold?: ((what: string) => () => void) | undefined
}

/** Milliseconds that a look or a wait has to end by itself once the run was stopped. */
const GRACE_MS = 1_000

/**
 * Carries the steps out in their order: look again, change, look whether it took. A step with
 * `confirm` is waited for beside the steps that follow, so long waits overlap.
 */
export async function apply<At extends Pick<World, 'clock' | 'facts'>>(
  steps: readonly StepIn<At>[],
  world: At,
  progress: Progress,
  options: ApplyOptions = {},
): Promise<Applied> {
  return new Run(steps, world, progress, options).finish()
}

class Run<At extends Pick<World, 'clock' | 'facts'>> {
  readonly #steps: readonly StepIn<At>[]
  readonly #world: At
  readonly #progress: Progress
  readonly #ledger: Ledger
  readonly #looked: Plan | undefined
  readonly #waits = new Map<string, Promise<void>>()
  readonly #signal: AbortSignal | undefined
  readonly #hold: (what: string) => () => void
  /** Ends the waits that run beside the steps once the run has stopped. */
  readonly #stop = new AbortController()
  /** Title of the first step that this run has to leave for a later one. */
  #left: string | undefined
  #problem: Problem | undefined
  #cancelled = false
  #hasChanged = false
  #crash: unknown

  constructor(
    steps: readonly StepIn<At>[],
    world: At,
    progress: Progress,
    { signal, looked, hold = () => () => undefined }: ApplyOptions,
  ) {
    const sleep: World['clock']['sleep'] = (ms, signal = this.#stop.signal) =>
      world.clock.sleep(ms, AbortSignal.any([signal, this.#stop.signal]))
    this.#steps = steps
    this.#world = { ...world, clock: { ...world.clock, sleep } }
    this.#progress = progress
    this.#signal = signal
    this.#hold = hold
    this.#ledger = new Ledger(progress, world.facts)
    this.#looked = looked
  }

  async finish(): Promise<Applied> {
    for (const step of this.#steps) {
      if (this.#stopped) break
      await this.#guard(step, () => this.#carryOut(step))
    }
    while (!this.#stopped && this.#waits.size > 0) await Promise.race(this.#waits.values())
    if (this.#stopped) {
      this.#stop.abort()
      await Promise.all(this.#waits.values())
      await this.#takeBack()
    }
    if (this.#crash !== undefined) throw this.#crash
    return {
      outcomes: this.#steps.map((step) => this.#ledger.outcomeOf(step)),
      facts: this.#ledger.facts,
      warnings: this.#ledger.warnings,
      problem: this.#problem,
      cancelled: this.#cancelled,
    }
  }

  get #stopped(): boolean {
    if (this.#signal?.aborted) this.#cancelled ||= this.#problem === undefined
    return this.#problem !== undefined || this.#cancelled || this.#crash !== undefined
  }

  get #now(): At {
    return { ...this.#world, facts: this.#ledger.facts }
  }

  async #carryOut(step: StepIn<At>): Promise<void> {
    this.#progress.started(step.id, step.title)
    const finding = await this.#lookOnceFactsAreThere(step)
    if (finding === undefined || finding.is === 'waiting') return
    if (finding.is !== 'blocked') this.#ledger.heed(finding.warnings)
    if (finding.is === 'later') {
      this.#leave(step, finding)
      return
    }
    if (finding.is === 'ready') {
      this.#ready(step, finding)
      return
    }
    if (finding.is === 'blocked') {
      this.#fail(step, finding.problem, 'blocked')
      return
    }
    const changes = finding.changes
    this.#hasChanged = true
    this.#ledger.begin(step, changes)
    const done = this.#hold(`${step.title} (${changes[0]?.what})`)
    const changing = Promise.resolve(step.change?.(this.#now, finding.seen))
    this.#ledger.learn(await changing.finally(done))
    if (step.confirm) {
      const note = changes.map(({ what }) => what).join('; ')
      this.#ledger.record(step, 'changed', note, changes, { silent: true })
      this.#waits.set(
        step.id,
        this.#guard(step, () => this.#confirm(step, changes)),
      )
      return
    }
    this.#settle(step, await this.#look(step), changes)
  }

  #look(step: StepIn<At>): Promise<Finding> {
    return unlessStopped(this.#signal, lookAt(step, this.#now), GRACE_MS)
  }

  #seen(step: StepIn<At>): Finding | undefined {
    if (this.#hasChanged && !step.standsAlone?.(this.#now)) return undefined
    const seen = this.#looked?.items.find(({ id }) => id === step.id)?.finding
    return seen?.is === 'waiting' ? undefined : seen
  }

  /** Undefined when the run stopped while waiting. */
  async #lookOnceFactsAreThere(step: StepIn<At>): Promise<Finding | undefined> {
    let open = this.#waits.size
    let finding = this.#seen(step) ?? (await this.#look(step))
    while (finding.is === 'waiting' && open > 0) {
      // One that ended while this was looked at may have told the fact.
      if (this.#waits.size === open) await Promise.race(this.#waits.values())
      if (this.#stopped) return undefined
      open = this.#waits.size
      finding = await this.#look(step)
    }
    if (finding.is !== 'waiting') return finding
    if (this.#left !== undefined) {
      return { is: 'later', note: `waits for: ${this.#left}`, next: '' }
    }
    throw new Error(`Step ${step.id} waits for ${finding.on}, which no earlier step provides.`)
  }

  async #confirm(step: StepIn<At>, changes: Outcome['changes']): Promise<void> {
    const told = (state: string) => this.#progress.told(step.id, step.title, state)
    const waiting = Promise.resolve(step.confirm?.(this.#now, told))
    const finding = await unlessStopped(this.#signal, waiting, GRACE_MS)
    this.#waits.delete(step.id)
    if (finding) this.#settle(step, finding, changes)
  }

  #settle(step: StepIn<At>, finding: Finding, changes: Outcome['changes']): void {
    if (finding.is === 'ready') {
      this.#ledger.learn(factsOf(finding))
      this.#ledger.heed(finding.warnings)
      // What a look finds then is that nothing is there, as if nothing ever had been.
      const isGone = changes.length > 0 && changes.every(({ goes }) => goes)
      this.#ledger.record(step, 'changed', isGone ? 'removed' : finding.note, changes)
      return
    }
    if (finding.is === 'later') {
      this.#ledger.heed(finding.warnings)
      this.#leave(step, finding, changes)
      return
    }
    const problem = finding.is === 'blocked' ? finding.problem : didNotTake(step)
    this.#fail(step, problem, 'failed', changes)
  }

  #ready(step: StepIn<At>, finding: Extract<Finding, { is: 'ready' }>): void {
    this.#ledger.learn(finding.facts)
    this.#ledger.record(step, 'ready', finding.note, [])
  }

  #leave(
    step: StepIn<At>,
    { note, next }: Extract<Finding, { is: 'later' }>,
    changes: Outcome['changes'] = [],
  ): void {
    this.#left ??= step.title
    this.#ledger.record(step, 'skipped', note, changes, next === '' ? {} : { next })
  }

  #fail(
    step: StepIn<At>,
    problem: Problem,
    status: 'failed' | 'blocked',
    changes: Outcome['changes'] = [],
  ): void {
    this.#problem ??= problem
    this.#ledger.record(step, status, problem.what, changes)
  }

  async #guard(step: StepIn<At>, action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      const wasWaiting = this.#waits.delete(step.id)
      if (error instanceof Cancelled) {
        if (wasWaiting) this.#ledger.unconfirmed(step.id)
        this.#cancelled ||= !this.#stopped
      } else if (error instanceof Problem) this.#fail(step, error, 'failed')
      else this.#crash ??= error
    }
  }

  /** In reverse order; a failing undo is said, never hides the first problem. */
  async #takeBack(): Promise<void> {
    for (const step of [...this.#steps].reverse()) {
      if (!step.undo) continue
      const done = this.#hold(`taking back: ${step.title}`)
      try {
        const note = await step.undo(this.#now)
        if (note !== undefined) this.#ledger.record(step, 'skipped', note, [])
      } catch (error) {
        this.#ledger.notTakenBack(step, error)
      } finally {
        done()
      }
    }
  }
}

function didNotTake({ id, title }: Named): Problem {
  return new Problem({
    code: `${id}-did-not-take`,
    what: `${title}: the change was accepted, but it can't be seen.`,
    why: 'Cloudflare answered without an error, and then showed the old state.',
    next: 'Run the same command again; it goes on from here.',
  })
}
