import { Problem } from '../../src/core/problem.ts'
import type { Finding } from '../../src/plan/step.ts'

/** A finding in one line, for tables: `ready …`, `change [public] …`, `blocked code`. */
export function found(finding: Finding | undefined): string {
  switch (finding?.is) {
    case 'ready':
      return `ready ${finding.note}`
    case 'change': {
      const marked = finding.changes.map(({ what, risk }) =>
        risk === 'safe' ? what : `[${risk}] ${what}`,
      )
      return `change ${marked.join('; ')}`
    }
    case 'waiting':
      return `waiting ${finding.on}`
    case 'later':
      return `later ${finding.note}`
    case 'blocked':
      return `blocked ${finding.problem.code}`
    default:
      return 'nothing'
  }
}

/** What a finding hands on: warnings and facts. */
export function warningsOf(finding: Finding): readonly string[] {
  return finding.is === 'ready' || finding.is === 'change'
    ? (finding.warnings ?? []).map(String)
    : []
}

/** The Problem that a promise ends with; anything else fails the test. */
export async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('It went well, and should not have.')
}

/** Matches Text with these words in it, its lines to type as a run shows them that was told nothing. */
export function worded(part: string | RegExp) {
  const fits = (text: string) => (typeof part === 'string' ? text.includes(part) : part.test(text))
  return {
    asymmetricMatch: (text: unknown) => fits(String(text)),
    toString: () => `worded ${part}`,
  }
}
