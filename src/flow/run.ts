import type { RunClock } from '../core/clock.ts'
import type { Text, ToType } from '../core/to-type.ts'
import type { Host } from '../host.ts'
import type { Report } from '../plan/report.ts'
import type { Facts, StepIn, World } from '../plan/step.ts'
import type { Plan } from '../plan/survey.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Closing, Render, Ui } from '../ui/port.ts'
import type { Stopping } from './stopping.ts'
import type { Timings } from './timings.ts'

/** What a command adds to the one way that every command goes. */
export interface FlowSpec<C extends Catalog, At = World> {
  readonly name: string
  readonly catalog: C
  /** The part of the catalog that has a flag here; all of it unless told. */
  readonly accepts?: Partial<C>
  /** A question may come before any value is looked at: `settings.ready` is then the command's. */
  readonly asksFirst?: boolean
  /** Settings, questions and connections → what to look at. Throws Problem or Cancelled. */
  prepare(run: Run<C>): Promise<Prepared<At>>
}

export interface Run<C extends Catalog> {
  readonly host: Host
  readonly ui: Ui
  /** Text as this run tells it, for what goes into the report. */
  readonly render: Render
  readonly settings: Settings<C>
  readonly clock: RunClock
  /** Of every request that is made; undefined where nobody asked for --timings. */
  readonly timings: Timings | undefined
  readonly stopping: Stopping
  /** Called before the first change. */
  readonly beginLog: () => Promise<void>
  /** Called when the run ends, however it ends. */
  readonly atEnd: (() => Promise<void>)[]
}

/** What the runner itself uses of a world. */
export type Running = Pick<World, 'clock' | 'facts'>

export interface Prepared<At = World> {
  readonly world: At
  /** Steps that find all they need in that world. */
  readonly steps: readonly StepIn<At>[]
  /** What ends the run when it rejects, asked beside the looks, as who the API token is. */
  readonly known?: () => Promise<unknown>
  readonly planTitle: string
  /** The settings that stand above the plan, in this order; the report has all of them. */
  readonly shown: readonly (keyof Catalog & string)[]
  /** What is destructive is in the plan only because its own flag was given: `--yes` covers it. */
  readonly flagged?: true
  /** The command that goes on from here. */
  readonly again: ToType
  closing(ended: Ended): Closing
  /** The block for standard output, when the run was to print it. */
  block?(facts: Partial<Facts>): string | undefined
  /** What the report holds besides the steps. */
  details?(facts: Partial<Facts>): Partial<Report>
  /** Whether a run without a fault still leaves something that has to be done: exit code 3. */
  isUnfinished?(report: Report): boolean
}

export interface Ended {
  readonly report: Report
  readonly facts: Partial<Facts>
  readonly plan: Plan | undefined
  /** What to type before another run can do what this one had to leave; once it was carried out. */
  readonly left: readonly Text[]
}
