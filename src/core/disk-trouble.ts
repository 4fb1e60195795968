const reasons: Record<string, string> = {
  ENOSPC: 'The disk is full.',
  EDQUOT: 'The disk quota of this user is used up.',
  EROFS: 'The disk is mounted read-only.',
  ENOENT: 'The folder is gone.',
  EACCES: 'This user may not write there.',
}

/** Why a file could not be written, one sentence; `code` as the system names it. */
export function diskTrouble(code: string): string {
  return reasons[code] ?? `The system says ${code}.`
}

/** The system's name of an error, e.g. `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
