import { open, rename, unlink } from 'node:fs/promises'

/**
 * Puts `pieces`, one behind the other, in the place of a file: whole or not at all, also when the
 * machine stops, and for its owner alone. A link there is replaced and not followed. `fresh` is what is
 * written first; where no lock keeps a second run away, each needs a name of its own. Throws the
 * system's error.
 */
export async function replaceFile(
  path: string,
  pieces: Iterable<string | Uint8Array>,
  fresh = `${path}.new`,
): Promise<void> {
  // What a killed run left, or a link in its place.
  await unlink(fresh).catch(() => undefined)
  try {
    const handle = await open(fresh, 'wx', 0o600)
    try {
      for (const piece of pieces) await handle.writeFile(piece)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(fresh, path)
  } catch (error) {
    await unlink(fresh).catch(() => undefined)
    throw error
  }
}
