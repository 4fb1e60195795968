import { createClock, unlessStopped } from '../core/clock.ts'
import { Cancelled, Declined, Problem } from '../core/problem.ts'
import { hasOnlyAllProxy, proxiesOf } from '../core/proxy.ts'
import { readerOf, renderText, type Text } from '../core/to-type.ts'
import type { Host } from '../host.ts'
import { type Report, reportProblem } from '../plan/report.ts'
import { hasSwitch } from '../settings/argv.ts'
import { contradiction } from '../settings/no-effect.ts'
import { outputCatalog } from '../settings/output.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Ui } from '../ui/port.ts'
import type { FlowSpec, Run, Running } from './run.ts'
import { runLog } from './run-log.ts'
import { cancelled, chooseVoice, gather, inRehearsal, settingsOf, toldIn } from './session.ts'
import { watchStops } from './stopping.ts'
import { Timings } from './timings.ts'

/** A report before anything is known. */
function emptyReport(command: string, dryRun: boolean): Report {
  return {
    command,
    ok: false,
    dryRun,
    settings: {},
    steps: [],
    checks: [],
    env: null,
    warnings: [],
    next: [],
    log: null,
    problem: null,
  }
}

/** Ctrl-C before anything was changed, or between one plan that was carried out and the next. */
function stopped(hasChanged: boolean): Problem {
  return cancelled({
    what: `Stopped. ${hasChanged ? 'What was done before stays done.' : 'Nothing was changed.'}`,
    why: 'You stopped the run.',
    next: 'Run the same command again whenever you like.',
  })
}

/** Settings → plan → one yes → apply → report. Returns the exit code. */
export function flow<C extends Catalog, At extends Running>(
  host: Host,
  argv: readonly string[],
  spec: FlowSpec<C, At>,
): Promise<number> {
  return session(host, argv, spec, async (run, draft) => {
    const prepared = await unlessStopped(host.interrupted, spec.prepare(run))
    const settings = settingsOf(run.settings)
    const { carryOut } = await import('./carry-out.ts')
    return await carryOut(run, prepared, { ...draft, settings })
  })
}

/** Voice, settings and clock around the work of a command; a Problem that it throws is reported. */
export async function session<C extends Catalog>(
  host: Host,
  argv: readonly string[],
  spec: Pick<FlowSpec<C>, 'name' | 'catalog' | 'accepts' | 'asksFirst'>,
  work: (run: Run<C>, draft: Report) => Promise<number>,
): Promise<number> {
  const has = (name: Exclude<keyof typeof outputCatalog, 'format' | 'logFile'>) =>
    hasSwitch(host, argv, outputCatalog[name])
  let settings: Settings<C> | undefined
  let told = readerOf(host)
  let timings: Timings | undefined
  let isRehearsal = false
  let hasChanged = false
  const render = (text: Text) => {
    const words = renderText(text, told)
    return isRehearsal ? inRehearsal(words) : words
  }
  const log = runLog(host, spec.name, (line) => ui.warn(line))
  const ui = await chooseVoice(host, {
    log,
    json: has('json'),
    quiet: has('quiet'),
    colour: !has('noColor'),
    print: has('print'),
    verbose: has('verbose'),
    render,
  })
  const draft = emptyReport(spec.name, has('dryRun'))
  const atEnd: (() => Promise<void>)[] = []
  const clock = createClock(host.interrupted)
  const stopping = watchStops(host, ui)
  try {
    settings = await unlessStopped(host.interrupted, gather(host, spec.name, argv, spec))
    for (const more of ['verbose', 'timings'] as const) {
      if (settings.on('quiet') && settings.on(more)) {
        throw contradiction('--quiet', `--${more}`, 'one asks for less, the other for more')
      }
    }
    told = { ...told, ...toldIn(settings) }
    await log.know(settings, JSON.stringify(settingsOf(settings)))
    if (settings.on('timings')) timings = new Timings()
    isRehearsal = settings.on('sandbox')
    if (!isRehearsal) lookForProxies(host, ui)
    const beginLog = () => {
      hasChanged = true
      return log.begin()
    }
    const run: Run<C> = { host, ui, render, settings, clock, timings, stopping, atEnd, beginLog }
    ui.intro(`mastodon-r2 ${spec.name}`)
    for (const note of settings.notes) ui.say(note)
    return await work(run, draft)
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Cancelled)) log.bug(error)
    const known = settings ? { ...draft, settings: settingsOf(settings) } : draft
    return failed({ ui, render }, known, error, hasChanged && !isRehearsal)
  } finally {
    const tidied = stopping.hold('tidying up')
    for (const end of atEnd.reverse()) await end()
    tidied()
    stopping.close()
    const [title, ...row] = timings?.lines() ?? []
    if (title !== undefined) ui.note(title, row)
    await log.close()
  }
}

/** What can't be obeyed is told before anything is asked of the network. Throws `proxy-not-usable`. */
function lookForProxies({ environment }: Host, ui: Ui): void {
  proxiesOf(environment)
  if (!hasOnlyAllProxy(environment)) return
  ui.warn('ALL_PROXY is not obeyed here, and not by rclone: HTTPS_PROXY is, where it is set.')
}

/**
 * Tells what ended the work, and gives its exit code; throws what is a bug. `hasChanged`: an earlier plan
 * of the same run was carried out.
 */
export function failed(
  { ui, render }: Pick<Run<Catalog>, 'ui' | 'render'>,
  draft: Report,
  error: unknown,
  hasChanged = false,
): number {
  const isCancelled = error instanceof Cancelled
  if (!isCancelled && !(error instanceof Problem)) throw error
  if (error instanceof Declined) {
    const headline = `Nothing ${hasChanged ? 'more ' : ''}was changed.`
    ui.finish(draft, { headline, sections: [] })
    return 130
  }
  const problem = isCancelled ? stopped(hasChanged) : error
  const closing = { headline: problem.what, sections: [] }
  ui.finish({ ...draft, problem: reportProblem(problem, render) }, closing)
  return isCancelled ? 130 : problem.exit
}
