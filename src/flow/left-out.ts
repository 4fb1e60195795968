import type { Report } from '../plan/report.ts'
import type { Closing } from '../ui/port.ts'
import type { Ended } from './flow.ts'

/** Extras that this run could not do, why, and what has to be done first. */
export function leftOut(
  { report, plan }: Pick<Ended, 'report' | 'plan'>,
  again: string,
): Closing['sections'][number][] {
  const skipped = skippedSteps(report).map(({ title, note }) => `${title}: ${note}`)
  if (skipped.length === 0) return []
  const planned = plan?.items.flatMap(({ finding }) => {
    return finding.is === 'later' && finding.next !== '' ? [finding.next] : []
  })
  const next = [...(planned ?? []), ...report.next.filter((line) => line !== again)]
  return [{ title: 'Left out', lines: [...skipped, ...new Set(next)] }]
}

export function skippedSteps({ steps }: Pick<Report, 'steps'>): Report['steps'] {
  return steps.filter(({ status }) => status === 'skipped')
}
