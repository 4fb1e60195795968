import { count } from '../core/amounts.ts'
import type { Comparison } from '../plan/comparison.ts'
import type { CopyPlace } from '../services/rclone/port.ts'

const KEPT_DAYS = 30
const DAY_MS = 86_400_000

/**
 * How to remove what was copied, once nobody can need it any more: 30 days after the switch. Nothing
 * here removes it. What was left out of the copy is only there, so no command is given then.
 */
export function laterRemoval(
  from: CopyPlace,
  switchedAt: Date,
  {
    leftOut,
    compareLine,
  }: { readonly leftOut: Comparison['leftOut']; readonly compareLine: string },
): string[] {
  const day = new Date(switchedAt.getTime() + KEPT_DAYS * DAY_MS).toISOString().slice(0, 10)
  const compare = ['Compare once more before that:', `  ${compareLine}`]
  if (from.kind === 'bucket') {
    return [`Keep the old bucket ${from.bucket}, and delete it not before ${day}.`, ...compare]
  }
  const { private: privates = 0, suspended = 0, skipped = 0 } = leftOut
  const only = privates + suspended + skipped
  if (only > 0) {
    return [
      `Keep the files in ${from.path}, also after ${day}: ${count(only)} of them were left out of the copy and are nowhere else.`,
    ]
  }
  return [
    `Keep the files in ${from.path}; remove them not before ${day}.`,
    ...compare,
    'Then:',
    `  find ${quoted(from.path)}/ -mindepth 1 -delete`,
  ]
}

/** For a POSIX shell. */
function quoted(path: string): string {
  return /^[\w/.,@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
