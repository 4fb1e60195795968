import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, type open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { holderInWords, lockFile, lockNotWritable } from '../../core/lock-file.ts'
import { makeFolder } from '../../core/make-folder.ts'
import { openPlain, readPlain } from '../../core/plain-file.ts'
import { codeOf, diskTrouble, Problem } from '../../core/problem.ts'
import { replaceFile } from '../../core/replace-file.ts'
import { asideLine, shellWord } from '../../core/shell-word.ts'
import type { Checkpoint, CheckpointPort, KnownVersions, StoredVersion } from './port.ts'
import { VersionTable } from './version-table.ts'

export interface CheckpointOptions {
  /** `$XDG_STATE_HOME`, or what stands for it. */
  readonly stateHome: string
  /** See `checkpointId`. */
  readonly id: string
  /** Told once of a checkpoint that is damaged, one or two sentences. */
  readonly notice?: ((line: string) => void) | undefined
}

/** Bytes; failed keys stand in it, each with its reason. */
const LARGEST = 256 * 1_048_576

/** Touches nothing until it is read or written. */
export function openCheckpoint({ stateHome, id, notice }: CheckpointOptions): CheckpointPort {
  const folder = join(stateHome, 'mastodon-r2', id)
  const path = join(folder, 'checkpoint.json')
  const record = openRecord(join(folder, 'copied.jsonl'), notWritable)
  let damaged = false

  async function read(): Promise<Checkpoint | undefined> {
    const found = await readPlain(path, { most: LARGEST }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw unreadable(path, diskTrouble(codeOf(error)).replace('write', 'read'))
    })
    if (found === undefined) return undefined
    const text = found.bytes.toString('utf8')
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
        await makeFolder(folder)
        if (damaged) await rename(path, `${path}.damaged`)
        damaged = false
        await replaceFile(path, [`${JSON.stringify(checkpoint, undefined, 2)}\n`])
      } catch (error) {
        throw notWritable(path, error)
      }
    },
    async record(puts) {
      await makeFolder(folder).catch((error: unknown) => {
        throw notWritable(folder, error)
      })
      await record.append(puts)
    },
    recorded: record.among,
    versions: record.versions,
    keys: record.keys,
    lastPut: record.lastPut,
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

function unreadable(
  path: string,
  why: string,
  again = ` To begin anew, which lists the bucket and loses nothing: ${asideLine(path)}`,
): Problem {
  return new Problem({
    code: 'checkpoint-unreadable',
    what: `What earlier runs of the migration noted in ${path} can't be read.`,
    why,
    next: `Put that right and run this again.${again}`,
  })
}

/** The name of the folder for a pair of source and bucket: the bucket, and what tells pairs apart. */
export function checkpointId(sourceName: string, endpoint: string, bucket: string): string {
  const pair = JSON.stringify([sourceName, endpoint.replace(/\/+$/, ''), bucket])
  const mark = createHash('sha256').update(pair).digest('hex').slice(0, 12)
  return `${bucket.replaceAll(/[^a-z0-9-]/g, '_')}-${mark}`
}

/** Undefined: not a checkpoint of ours, or a torn one. `newer`: of a version that is not known. */
function parseCheckpoint(text: string): Checkpoint | 'newer' | undefined {
  const read = parseJson(text)
  if (!isRecord(read)) return undefined
  if (typeof read.version === 'number' && read.version > 1) return 'newer'
  if (read.version !== 1 || typeof read.selection !== 'string') return undefined
  const { failed = [], vanished = [], copied, surveyed } = read
  if (!Array.isArray(failed) || !failed.every(isFailure)) return undefined
  if (!Array.isArray(vanished) || !vanished.every(isText)) return undefined
  if (!isTally(copied)) return undefined
  const times = [
    'completeSince',
    'begunAt',
    'announcedAt',
    'switchedAt',
    'runsSince',
    'redirectedAt',
    'equalAt',
  ] as const
  if (!times.every((name) => isTime(read[name]))) return undefined
  if (surveyed !== undefined && !(isTally(surveyed) && isTime(surveyed.at))) return undefined
  return { failed, vanished, ...read } as unknown as Checkpoint
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTime(value: unknown): boolean {
  return value === undefined || (isText(value) && !Number.isNaN(Date.parse(value)))
}

function isFailure(value: unknown): boolean {
  return isRecord(value) && isText(value.key) && isText(value.reason)
}

function isTally(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && [value.objects, value.bytes].every(Number.isFinite)
}

/**
 * Keeps a second migration of the same pair away. Returns the release. Problems:
 * `migration-running`, `lock-not-writable`.
 */
export async function lockCheckpoint(
  { path: folder }: Pick<CheckpointPort, 'path'>,
  who: { readonly pid: number; readonly command: string },
): Promise<() => Promise<void>> {
  const path = join(folder, 'lock')
  const elsewhere = 'Another place for it: set XDG_STATE_HOME to a folder on another disk.'
  await makeFolder(folder).catch((error: unknown) => {
    throw lockNotWritable(path, error, elsewhere)
  })
  return lockFile(path, who, {
    elsewhere,
    locked: (_, holder) =>
      new Problem({
        code: 'migration-running',
        what: 'Another migration to the same bucket is running.',
        why: `${holderInWords(path, holder)} Two at once would copy everything twice.`,
        next: `Wait until it is done, or stop it with Ctrl-C there; then run this again. If it surely does not run any more: rm ${shellWord(path)}`,
      }),
  })
}

/** More versions than this are not kept in memory, 64 MB; what is not known is copied once more. */
const MOST_VERSIONS = 3_000_000
/** Bytes that are read at once. */
const CHUNK = 262_144

/** In the place between key and time: what was in the bucket without being put there. */
const FOUND = 'found'

/**
 * A file that only grows, one JSON array a line: `[key, changedAt?]` of what was put into the bucket,
 * `[key, "found", changedAt]` of what was there. A line that a killed run left torn is passed over.
 */
function openRecord(path: string, notWritable: (path: string, cause: unknown) => Problem) {
  let endsWell = false

  async function append(puts: readonly (string | StoredVersion)[]): Promise<void> {
    if (puts.length === 0) return
    const lines = puts.map((put) => JSON.stringify(lineOf(put)))
    try {
      const { O_RDWR, O_CREAT, O_APPEND } = constants
      const handle = await openPlain(path, O_RDWR | O_CREAT | O_APPEND)
      try {
        const text = `${lines.join('\n')}\n`
        const isTorn = !endsWell && !(await endsWithLine(handle))
        endsWell = false
        await handle.appendFile(isTorn ? `\n${text}` : text)
        endsWell = true
      } finally {
        await handle.close()
      }
    } catch (error) {
      throw notWritable(path, error)
    }
  }

  async function among(keys: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    if (keys.size === 0) return found
    for await (const lines of linesOf(path)) {
      for (const line of lines) {
        const { key, isPut } = parseLine(line) ?? {}
        if (key !== undefined && isPut && keys.has(key)) found.add(key)
      }
    }
    return found
  }

  async function versions(since: number): Promise<KnownVersions> {
    const found = new VersionTable(MOST_VERSIONS)
    for await (const lines of linesOf(path)) {
      for (const line of lines) {
        // Of a million lines few are this young: the rest is not parsed.
        if (!(timeOf(line) > since)) continue
        const { key, changedAt } = parseLine(line) ?? {}
        if (key !== undefined && changedAt !== undefined) found.set(key, changedAt)
      }
    }
    return found
  }

  async function* keys(): AsyncGenerator<readonly string[]> {
    for await (const lines of linesOf(path)) {
      yield lines.flatMap((line) => {
        const { key, isPut } = parseLine(line) ?? {}
        return key !== undefined && isPut ? [key] : []
      })
    }
  }

  async function lastPut(): Promise<Date | undefined> {
    try {
      return (await lstat(path)).mtime
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  return { append, among, versions, keys, lastPut }
}

async function endsWithLine(handle: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await handle.stat()
  if (size === 0) return true
  const last = Buffer.alloc(1)
  await handle.read(last, 0, 1, size - 1)
  return last[0] === 0x0a
}

/** Line by line would take a microtask each. */
async function* linesOf(path: string): AsyncGenerator<readonly string[]> {
  let rest = ''
  try {
    // Not by readline, which takes U+2028 in a name for the end of a line.
    const handle = await openPlain(path, constants.O_RDONLY)
    for await (const chunk of handle.createReadStream({ encoding: 'utf8', highWaterMark: CHUNK })) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      yield lines
    }
  } catch (error) {
    const code = codeOf(error)
    // Without it nothing tells what was deleted after the switch: no line puts it aside.
    if (code !== 'ENOENT') throw unreadable(path, diskTrouble(code).replace('write', 'read'), '')
  }
  yield [rest]
}

/** The number behind the last comma; NaN where there is none. */
function timeOf(line: string): number {
  return Number.parseFloat(line.slice(line.lastIndexOf(',') + 1))
}

function lineOf(put: string | StoredVersion): readonly (string | number)[] {
  if (typeof put === 'string') return [put]
  const { key, changedAt, isFound } = put
  return isFound ? [key, FOUND, changedAt] : [key, changedAt]
}

function parseLine(line: string) {
  try {
    const value: unknown = JSON.parse(line)
    if (!Array.isArray(value)) return undefined
    const [key] = value
    const last = value.at(-1)
    if (typeof key !== 'string') return undefined
    const changedAt = typeof last === 'number' ? last : undefined
    return { key, changedAt, isPut: value[1] !== FOUND }
  } catch {
    return undefined
  }
}
