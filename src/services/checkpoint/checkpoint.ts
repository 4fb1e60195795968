import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, diskTrouble, Problem } from '../../core/problem.ts'
import { parseCheckpoint } from './parse-checkpoint.ts'
import type { Checkpoint, CheckpointPort } from './port.ts'
import { openRecord } from './record.ts'

export { checkpointId } from './checkpoint-id.ts'

export interface CheckpointOptions {
  /** `$XDG_STATE_HOME`, or what stands for it. */
  readonly stateHome: string
  /** See `checkpointId`. */
  readonly id: string
  /** Told once of a checkpoint that is damaged, one or two sentences. */
  readonly notice?: ((line: string) => void) | undefined
}

/** Touches nothing until it is read or written. */
export function openCheckpoint({ stateHome, id, notice }: CheckpointOptions): CheckpointPort {
  const folder = join(stateHome, 'mastodon-r2', id)
  const path = join(folder, 'checkpoint.json')
  const record = openRecord(join(folder, 'copied.jsonl'), notWritable)
  let damaged = false

  async function read(): Promise<Checkpoint | undefined> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw unreadable(path, diskTrouble(codeOf(error)).replace('write', 'read'))
    })
    if (text === undefined) return undefined
    const checkpoint = parseCheckpoint(text)
    if (checkpoint === 'newer') {
      throw unreadable(path, 'A newer version of mastodon-r2 has written it.')
    }
    if (checkpoint) return checkpoint
    if (!damaged) {
      const aside = 'It is put aside as checkpoint.json.damaged'
      const lost = 'the next copy lists the bucket and copies what is missing; nothing is lost'
      notice?.(`The checkpoint ${path} is damaged. ${aside}, and ${lost}.`)
    }
    damaged = true
    return undefined
  }

  return {
    path: folder,
    read,
    async write(checkpoint) {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        if (damaged) await rename(path, `${path}.damaged`)
        damaged = false
        await replace(path, `${JSON.stringify(checkpoint, undefined, 2)}\n`)
      } catch (error) {
        throw notWritable(path, error)
      }
    },
    async record(puts) {
      await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
        throw notWritable(folder, error)
      })
      await record.append(puts)
    },
    recorded: record.among,
    versions: record.versions,
  }
}

/** Whole or not at all, also when the machine stops. */
async function replace(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`
  try {
    const handle = await open(fresh, 'w', 0o600)
    try {
      await handle.writeFile(text)
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

function notWritable(path: string, cause: unknown): Problem {
  return new Problem(
    {
      code: 'checkpoint-not-writable',
      what: `What the migration has done can't be noted in ${path}.`,
      why: `${diskTrouble(codeOf(cause))} Without it, the next run could not know what is there already.`,
      next: 'Put that right and run the same command again; it goes on from here. Another place for it: set XDG_STATE_HOME to a folder on another disk.',
    },
    { cause },
  )
}

function unreadable(path: string, why: string): Problem {
  return new Problem({
    code: 'checkpoint-unreadable',
    what: `What earlier runs of the migration noted in ${path} can't be read.`,
    why,
    next: `Put that right and run this again. To begin anew, which lists the bucket and loses nothing: mv ${path} ${path}.old`,
  })
}
