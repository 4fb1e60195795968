import type { Check, Verdict } from '../../plan/check.ts'
import type { Answers, Visit, VisitAt } from './visit.ts'

export type Go = (at: VisitAt) => Promise<Visit>

interface VisitedCheck extends Pick<Check, 'id' | 'title'> {
  judge(answers: Answers): readonly Verdict[]
}

/** A check of the answers to the one visit; all of them are looked at, whatever the others say. */
export function visitedCheck(go: Go, { id, title, judge }: VisitedCheck): Check<keyof VisitAt> {
  return {
    id,
    about: 'public web',
    title,
    cost: 'probe',
    async look(at) {
      const visit = await go(at)
      if (visit.is === 'seen') return judge(visit.answers)
      const because = visit.is === 'failed' ? 'the test file did not come' : visit.because
      return [{ severity: 'skipped', saw: `not tried: ${because}` }]
    },
  }
}
