import type { Check, Verdict } from '../../plan/verdict.ts'
import type { Answers, Visit, VisitAt } from './visit.ts'

export type Go = (at: VisitAt) => Promise<Visit>

interface VisitedCheck extends Pick<Check, 'id' | 'title'> {
  judge(answers: Answers): readonly Verdict[]
}

/** A check of the answers to the one visit; skipped when the file itself did not come. */
export function visitedCheck(go: Go, { id, title, judge }: VisitedCheck): Check<keyof VisitAt> {
  return {
    id,
    about: 'public web',
    title,
    cost: 'probe',
    async look(at) {
      const visit = await go(at)
      if (visit.is === 'seen' && visit.answers.plain.status === 200) return judge(visit.answers)
      const because = visit.is === 'not made' ? visit.because : 'the test file did not come'
      return [{ severity: 'skipped', saw: `not tried: ${because}` }]
    },
  }
}
