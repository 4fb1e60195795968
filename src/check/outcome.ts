import type { Checked, Severity } from '../plan/verdict.ts'

export function having(found: readonly Checked[], severity: Severity): Checked[] {
  return found.filter(({ verdict }) => verdict.severity === severity)
}

/** What should be put right, the worst first. */
export function troubled(found: readonly Checked[]): Checked[] {
  return [...having(found, 'fault'), ...having(found, 'warning')]
}

/** The last line of a check, such as `All works; 2 warnings.` */
export function verdictsInWords(found: readonly Checked[]): string {
  const counted = (['fault', 'warning'] as const).flatMap((severity) => {
    const { length } = having(found, severity)
    return length === 0 ? [] : [`${length} ${severity}${length === 1 ? '' : 's'}`]
  })
  if (counted.length === 0) return 'All well.'
  return having(found, 'fault').length === 0
    ? `All works; ${counted.join(', ')}.`
    : `Not all is well: ${counted.join(', ')}.`
}
