import { expect } from 'vitest'
import { expectConverged, expectNoSecret, expectOnlyOurs } from './converged.ts'
import { recoveries } from './recovery.ts'
import { type Kind, kinds, requestsOf, type Shape, type Strike, textOf } from './strike.ts'
import { BEFORE, BUCKET, type Ended, HOST, type Limits, openTrial, type Trial } from './trial.ts'

/** Trials side by side; most of their time is waiting. */
const LANES = 6
const REPEATED: readonly Kind[] = ['429', '500', 'reset', 'hang', 'applied-then-reset', 'malformed']

/**
 * Every request of a clean `init` that `wanted` chooses × every kind of fault, once, and for those
 * that are worth a repetition also for good. Returns what went wrong, and the codes that the runs ended with.
 */
export async function survive(
  wanted: (shape: Shape) => boolean,
  limits: Limits,
): Promise<{ cases: number; failures: string[]; codes: Set<string> }> {
  const trials = await Promise.all(Array.from({ length: LANES }, () => openTrial(limits)))
  try {
    const [first] = trials as [Trial]
    await first.init()
    const requests = requestsOf(first.sandbox.log).filter(wanted)
    const strikes = requests.flatMap((request) => strikesAt(request))
    const cases = strikes.length
    const queue = [...strikes]
    const failures: string[] = []
    const codes = new Set<string>()
    const recovers = recoveries()
    const lane = async (trial: Trial) => {
      for (let strike = queue.shift(); strike; strike = queue.shift()) {
        const name = `${strike.kind}${strike.always ? ' always' : ''} at ${strike.nth}. ${textOf(strike)}`
        try {
          codes.add(await survives(trial, strike, recovers))
        } catch (error) {
          failures.push(`${name}\n${String((error as Error).stack ?? error).slice(0, 1500)}`)
        }
      }
    }
    await Promise.all(trials.map(lane))
    return { cases, failures, codes }
  } finally {
    await Promise.all(trials.map((trial) => trial.close()))
  }
}

function strikesAt(request: Shape & { nth: number }): Strike[] {
  const names = Object.keys(kinds) as Kind[]
  const once = names.map((kind) => ({ ...request, kind, always: false }))
  const repeated = REPEATED.map((kind) => ({ ...request, kind, always: true }))
  return request.nth === 1 ? [...once, ...repeated] : once
}

/**
 * What went on by itself is as it should be at once, and what failed before anything was changed is
 * as it was; from anything in between a clean run gets there.
 */
async function survives(
  trial: Trial,
  strike: Strike,
  recovers: ReturnType<typeof recoveries>,
): Promise<string> {
  trial.reset()
  const { code, report, said } = await trial.init(strike)
  expectSane({ code, report, said })
  expectNoSecret(trial.sandbox, said)
  expectOnlyOurs(BEFORE, trial.envText())
  if (code !== 0 && trial.envText() === BEFORE) expectNoOrphan(trial, strike)
  if (isUntouched(trial)) return report.problem?.code ?? 'nothing done'
  if (code === 0 && report.warnings.length === 0) expectGoal(trial)
  else {
    const left = { sandbox: trial.sandbox, text: trial.envText(), files: trial.files() }
    await recovers(left, async () => {
      const again = await trial.init()
      expect({ code: again.code, problem: again.report.problem }).toEqual({
        code: 0,
        problem: null,
      })
      expectGoal(trial)
    })
  }
  return report.problem?.code ?? 'went on'
}

function expectGoal({ sandbox, envText, files }: Trial): void {
  expectConverged(sandbox, envText(), { bucket: BUCKET, host: HOST, before: BEFORE })
  const names = files().map((name) => name.replace(/\d{8}T\d+Z(-\d+)?/, 'TIME'))
  expect(names.sort()).toEqual(['.env.production', '.env.production.mastodon-r2-TIME.bak'])
}

function isUntouched({ sandbox, envText, files }: Trial): boolean {
  const { buckets, tokens, dnsRecords } = sandbox.world
  const made = buckets.length + dnsRecords.length + tokens.length - 1
  return made === 0 && envText() === BEFORE && files().length === 1
}

/** A key that is nowhere written down is gone, unless it was the taking back that failed. */
function expectNoOrphan({ sandbox }: Trial, { always, method }: Strike): void {
  const takesBack = method === 'DELETE' || always
  if (!takesBack) expect(sandbox.world.tokens.slice(1).map(({ name }) => name)).toEqual([])
}

/** All well, or a problem that says what to do next. */
function expectSane({ code, report }: Ended): void {
  expect(report.ok).toBe(code === 0)
  if (code === 0) {
    expect(report.problem).toBeNull()
    return
  }
  expect([1, 2]).toContain(code)
  expect(report.problem).toMatchObject({
    what: expect.stringMatching(/\S{3}.*\.$/s),
    next: expect.stringMatching(/\S{3}/),
  })
  if (code === 2) expect(report.steps.filter(({ status }) => status === 'changed')).toEqual([])
}
