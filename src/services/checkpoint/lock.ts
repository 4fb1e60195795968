import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { holderInWords, lockFile } from '../../core/lock-file.ts'
import { codeOf, diskTrouble, Problem } from '../../core/problem.ts'
import type { CheckpointPort } from './port.ts'

/**
 * Keeps a second migration of the same pair away. Returns the release. Problems:
 * `migration-running`, `checkpoint-not-writable`.
 */
export async function lockCheckpoint(
  { path: folder }: Pick<CheckpointPort, 'path'>,
  who: { readonly pid: number; readonly command: string },
): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw notWritable(folder, codeOf(error))
  })
  return lockFile(join(folder, 'lock'), who, {
    notWritable,
    locked: (path, holder) =>
      new Problem({
        code: 'migration-running',
        what: 'Another migration to the same bucket is running.',
        why: `${holderInWords(path, holder)} Two at once would copy everything twice.`,
        next: `Wait until it is done, or stop it with Ctrl-C there; then run this again. If it surely does not run any more: rm ${path}`,
      }),
  })
}

function notWritable(path: string, code: string): Problem {
  return new Problem({
    code: 'checkpoint-not-writable',
    what: `The migration can't keep its notes: ${path} can't be written.`,
    why: `${diskTrouble(code)} Nothing was changed.`,
    next: 'Put that right and run this again. Another place for the notes: set XDG_STATE_HOME to a folder on another disk.',
  })
}
