import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from './problem.ts'

/**
 * Makes a folder where there is none, and those above it, for their owner alone. Node's `recursive` does
 * not end on some file systems that take no new names. Throws the system's error.
 */
export async function makeFolder(path: string): Promise<void> {
  const refused = await made(path)
  if (refused === undefined) return
  if (codeOf(refused) !== 'ENOENT' || dirname(path) === path) throw refused
  await makeFolder(dirname(path))
  const again = await made(path)
  if (again !== undefined) throw again
}

/** Undefined when it is there, else why not. */
async function made(path: string): Promise<unknown> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') return error
    const found = await stat(path).catch(() => undefined)
    return found?.isDirectory()
      ? undefined
      : Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR' })
  }
  return undefined
}
