import { Cancelled, Problem } from '../../src/core/problem.ts'
import type { Progress } from '../../src/plan/apply.ts'
import type { Facts, Finding, Step, World } from '../../src/plan/step.ts'

export const broken = (code: string) =>
  new Problem({ code, what: `${code}.`, why: 'It is broken.', next: 'Mend it.' })

/** A world of steps that need nothing but facts and time; time stands still until slept. */
export function emptyWorld(facts: Partial<Facts> = {}): World {
  let now = 0
  const clock: World['clock'] = {
    now: () => new Date(now),
    randomHex: (length) => 'a'.repeat(length),
    async sleep(ms, signal) {
      await new Promise((resolve) => setImmediate(resolve))
      if (signal?.aborted) throw new Cancelled()
      now += ms
    },
  }
  return { clock, facts } as World
}

/** Ready once its change was carried out; writes down everything that happens. */
export function fakeStep(
  id: string,
  diary: string[],
  more: Partial<Step> & {
    ready?: boolean
    facts?: Partial<Facts>
    waitsOn?: keyof Facts
    during?: () => void
  } = {},
): Step {
  let done = more.ready ?? false
  const { ready: _, facts = {}, waitsOn, during, ...overrides } = more
  return {
    id,
    title: id.toUpperCase(),
    async look({ facts: known }): Promise<Finding> {
      diary.push(`look ${id}`)
      if (waitsOn && known[waitsOn] === undefined)
        return { is: 'waiting', on: waitsOn, will: `do ${id}` }
      if (done) return { is: 'ready', note: `${id} is there`, facts }
      return { is: 'change', changes: [{ what: `make ${id}`, risk: 'safe' }] }
    },
    async change() {
      diary.push(`change ${id}`)
      during?.()
      done = true
      return facts
    },
    ...overrides,
  }
}

export function silent(told: string[] = []): Progress {
  return {
    started: () => undefined,
    told: (id, _, state) => told.push(`${id}: ${state}`),
    ended: ({ id, status }) => told.push(`${id} ${status}`),
  }
}
