import { Cancelled, Problem } from '../core/problem.ts'
import {
  type Check,
  type Checked,
  type CheckWorld,
  checkAreas,
  type Severity,
  troubleOf,
  type Verdict,
} from '../plan/verdict.ts'

export interface CheckRun {
  /** Leaves out what writes a test object. */
  readonly quick: boolean
  /** Milliseconds for one check; 60,000 unless told. */
  readonly limitMs?: number
  /** Called when a stopped run has to wait until test objects are gone; the result when they are. */
  readonly hold?: (what: string) => () => void
}

const ORDER: readonly Severity[] = ['fault', 'warning', 'note', 'ok', 'skipped']

/**
 * Runs the checks side by side and gives their verdicts, the worst first. A Problem that one throws
 * is a fault; so is one that does not end in time. Anything else is a bug, and goes up once all the
 * others have ended. Throws Cancelled when the person stops the run, once what
 * puts test objects into the bucket has removed them.
 */
export async function runChecks(
  checks: readonly Check[],
  world: CheckWorld,
  { quick, limitMs = 60_000, hold }: CheckRun,
): Promise<Checked[]> {
  const chosen = checks.filter(({ cost }) => !quick || cost === 'look')
  const found: Checked[][] = []
  const bugs: unknown[] = []
  const probes = new Map<Check, Promise<unknown>>()
  async function work(check: Check, index: number): Promise<void> {
    try {
      const judging = judged(check, world)
      if (check.cost === 'probe') probes.set(check, judging)
      const verdicts = await inTime(judging, world, limitMs)
      const { id, about, title } = check
      found[index] = verdicts.map((verdict) => ({ id, about, title, verdict }))
    } catch (error) {
      bugs.push(error)
    }
  }
  await Promise.all(chosen.map(work))
  if (bugs.some((error) => error instanceof Cancelled)) {
    const removed = hold?.('test objects are removed from the bucket')
    await Promise.allSettled(probes.values())
    removed?.()
  }
  if (bugs.length > 0) throw bugs[0]
  return worstFirst(found.flat())
}

async function inTime(
  judging: Promise<readonly Verdict[]>,
  world: CheckWorld,
  limitMs: number,
): Promise<readonly Verdict[]> {
  const done = new AbortController()
  const late = world.clock.sleep(limitMs, done.signal).then(() => [tooLate(limitMs)])
  try {
    return await Promise.race([judging, late])
  } finally {
    done.abort()
    late.catch(() => undefined)
  }
}

async function judged(check: Check, world: CheckWorld): Promise<readonly Verdict[]> {
  try {
    return await check.look(world)
  } catch (error) {
    if (error instanceof Problem) return [troubleOf(error)]
    throw error
  }
}

function tooLate(limitMs: number): Verdict {
  return {
    severity: 'fault',
    saw: `No result within ${Math.round(limitMs / 1000)} s.`,
    matters: 'Whatever was asked did not answer; Mastodon would have given up long before.',
    next: 'Run this again. If it stays, see https://www.cloudflarestatus.com.',
  }
}

/** By severity, then by area; within one area the order stays. */
export function worstFirst(found: readonly Checked[]): Checked[] {
  const rank = ({ verdict, about }: Checked) =>
    ORDER.indexOf(verdict.severity) * checkAreas.length + checkAreas.indexOf(about)
  return [...found].sort((one, other) => rank(one) - rank(other))
}
