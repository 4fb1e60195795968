import type { FileStat, TreeFs } from './tree-fs.ts'

/** The user who reads, as the system counts users. */
export interface Reader {
  readonly uid: number
  readonly gids: readonly number[]
}

/**
 * Whether a file can be read, without opening it. The mode bits answer for nearly every file; where
 * they say no, or the reader is unknown, the system is asked, which knows of access lists.
 */
export function canRead(
  fs: Pick<TreeFs, 'canRead'>,
  reader: Reader | undefined,
): (stat: FileStat, path: string) => boolean {
  if (reader?.uid === 0) return () => true
  return (stat, path) => (stat.mode & bitFor(stat, reader)) !== 0 || fs.canRead(path)
}

function bitFor({ uid, gid }: FileStat, reader: Reader | undefined): number {
  if (reader?.uid === uid) return 0o400
  return reader?.gids.includes(gid) ? 0o040 : 0o004
}
