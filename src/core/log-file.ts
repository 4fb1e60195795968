import { constants, writeSync } from 'node:fs'
import { open, readdir, realpath, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from './make-folder.ts'
import { holdFolder, openPlain } from './plain-file.ts'

/** A text that grows line by line; what was written stays, however the process ends. */
export interface LogFile {
  readonly path: string
  /** Throws the system's error. */
  write(text: string): void
  close(): Promise<void>
}

/** Logs in a folder; older ones go when a new one is made. */
const KEPT = 50
const OF_OURS = /^\d{8}T\d{9}Z-[a-z]+-\d+\.log$/

/**
 * A new log `mastodon-r2/logs/<time>-<command>-<pid>.log` below a folder for state, for its owner
 * alone. What lies in the way is left alone, a link as well. Throws the system's error.
 */
export async function newLog(
  stateHome: string,
  { command, pid, now }: { readonly command: string; readonly pid: number; readonly now: Date },
): Promise<LogFile> {
  await makeFolder(join(stateHome, 'mastodon-r2/logs'))
  const path = join(await realpath(stateHome), 'mastodon-r2/logs')
  const folder = await holdFolder(path)
  try {
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
    const name = `${now.toISOString().replaceAll(/[-:.]/g, '')}-${command}-${pid}.log`
    const how = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW
    const handle = await open(folder.at(name), how, 0o600)
    const old = (await readdir(folder.at('.'))).filter((other) => OF_OURS.test(other)).sort()
    for (const other of old.slice(0, -KEPT)) await unlink(folder.at(other)).catch(() => undefined)
    return logOn(handle, join(path, name))
  } finally {
    await folder.close()
  }
}

/** A log that somebody named: it is made, or goes on. Throws the system's error, as `openPlain`. */
export async function namedLog(path: string): Promise<LogFile> {
  const { O_WRONLY, O_APPEND, O_CREAT } = constants
  return logOn(await openPlain(path, O_WRONLY | O_APPEND | O_CREAT), path)
}

function logOn(handle: Awaited<ReturnType<typeof open>>, path: string): LogFile {
  return {
    path,
    // At once: a process that is killed takes what is still to be written with it.
    write: (text) => void writeSync(handle.fd, text),
    close: () => handle.close(),
  }
}
