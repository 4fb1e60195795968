import { basename, dirname, join } from 'node:path'
import { holderInWords, type LockHolder, lockFile } from '../../core/lock-file.ts'
import { diskTrouble, Problem } from '../../core/problem.ts'
import type { EnvFileOnDisk } from './port.ts'

/**
 * Keeps a second run away from an env file and what is set up for it. The lock lies beside the file
 * and is taken over when its process is gone. Returns the release. Problems: `locked`,
 * `lock-not-writable`.
 */
export function lockEnvFile(
  file: Pick<EnvFileOnDisk, 'path' | 'realPath'>,
  who: { readonly pid: number; readonly command: string },
): Promise<() => Promise<void>> {
  const path = join(dirname(file.realPath), `${basename(file.realPath)}.mastodon-r2.lock`)
  return lockFile(path, who, {
    locked: (_, holder) => locked(file.path, path, holder),
    notWritable,
  })
}

function locked(file: string, path: string, holder: LockHolder | undefined): Problem {
  return new Problem({
    code: 'locked',
    what: `Another run of mastodon-r2 holds ${file}.`,
    why: `${holderInWords(path, holder)} Two at once could make two keys and lose one.`,
    next: `Wait until it is done, or stop it with Ctrl-C there; then run this again. If it surely does not run any more: rm ${path}`,
  })
}

function notWritable(path: string, code: string): Problem {
  return new Problem({
    code: 'lock-not-writable',
    what: `The lock ${path} can't be written.`,
    why: `${diskTrouble(code)} The env file beside it could not be written either; nothing was changed.`,
    next: 'Put that right and run this again, or use --print to get the lines and put them in yourself.',
  })
}
