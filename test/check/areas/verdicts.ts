import type { Check, Checked, CheckWorld, Verdict } from '../../../src/plan/verdict.ts'

/** All verdicts of some checks. A world of fakes may lack what these checks do not need. */
export async function verdictsOf(
  checks: readonly Check[],
  world: Partial<CheckWorld>,
): Promise<Checked[]> {
  const all = checks.map(async ({ id, about, title, look }) =>
    (await look(world as CheckWorld)).map((verdict) => ({ id, about, title, verdict })),
  )
  return (await Promise.all(all)).flat()
}

/** `id severity` of everything that is neither ok nor skipped. */
export function troubles(checked: readonly Checked[]): string[] {
  return checked
    .filter(({ verdict }) => !['ok', 'skipped'].includes(verdict.severity))
    .map(({ id, verdict }) => `${id} ${verdict.severity}`)
}

/** All words of one check, for searching. */
export function wordsOf(checked: readonly Checked[], id: string): string {
  return checked
    .filter((one) => one.id === id)
    .map(({ verdict }) => words(verdict))
    .join('\n')
}

function words(verdict: Verdict): string {
  return 'next' in verdict
    ? `${verdict.saw}\n${verdict.matters}\n${verdict.next}`
    : `${verdict.severity}: ${verdict.saw}`
}
