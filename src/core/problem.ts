import type { Text } from './to-type.ts'

/**
 * Something that the person at the keyboard can put right. Every other thrown value is a bug.
 */
export interface ProblemDetails {
  /** A stable word for scripts, e.g. `media-host-taken`. */
  readonly code: string
  /** What happened, one sentence. */
  readonly what: string
  /** The reason, one or two sentences. */
  readonly why: Text
  /** What to type or click next. */
  readonly next: Text
  /**
   * 1, which is meant where nothing is said: something is not right. 2: a setting is missing or wrong, and
   * nothing was changed by this. Where a run had changed something before, it ends with 1 all the same.
   */
  readonly exit?: 1 | 2
}

export class Problem extends Error {
  readonly code: string
  readonly what: string
  readonly why: Text
  readonly next: Text
  readonly exit: 1 | 2

  constructor(details: ProblemDetails, options?: ErrorOptions) {
    super(`${details.what} ${details.why}`, options)
    this.name = 'Problem'
    this.code = details.code
    this.what = details.what
    this.why = details.why
    this.next = details.next
    this.exit = details.exit ?? 1
  }
}

/** What was thrown once something was changed: a Problem that promises that nothing was ends with 1 then. */
export function afterChange(error: unknown): unknown {
  if (!(error instanceof Problem) || error.exit === 1) return error
  const { code, what, why, next } = error
  return new Problem({ code, what, why, next }, { cause: error })
}

/** The person pressed Ctrl-C or Esc. Exit code 130. */
export class Cancelled extends Error {
  constructor() {
    super('Cancelled.')
    this.name = 'Cancelled'
  }
}

/** The person saw the plan and said no. Exit code 130; nobody has to be told why. */
export class Declined extends Cancelled {}

const UNKNOWN = 'unknown'

const reasons: Record<string, string> = {
  ENOSPC: 'The disk is full.',
  EDQUOT: 'The disk quota of this user is used up.',
  EROFS: 'The disk is mounted read-only.',
  ENOENT: 'The folder is gone.',
  EACCES: 'This user may not write there.',
  ENOTDIR: 'What should be a folder is none.',
  EISDIR: 'It is a folder.',
  ELOOP: 'It is a link, which could lead anywhere.',
  ENOTSUP: 'It is no plain file but a pipe, a socket or a device.',
  ENXIO: 'It is no plain file but a pipe, a socket or a device.',
}

/** Why a file could not be written, one sentence; `code` as the system names it. */
export function diskTrouble(code: string): string {
  return (
    reasons[code] ??
    (code === UNKNOWN ? 'The system does not say why.' : `The system says ${code}.`)
  )
}

/** The system's name of an error, e.g. `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : UNKNOWN
}
