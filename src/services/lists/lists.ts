import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createGunzip, gzip } from 'node:zlib'
import { keysIn } from '../../core/key-pack.ts'
import { makeFolder } from '../../core/make-folder.ts'
import { openPlain } from '../../core/plain-file.ts'
import { codeOf, diskTrouble, Problem } from '../../core/problem.ts'
import { replaceFile } from '../../core/replace-file.ts'
import { asideLine } from '../../core/shell-word.ts'
import type { KeyBatches } from '../../core/sorted-keys.ts'
import type { Beginning, GoneKeys, ListsPort, NextList } from './port.ts'

const compressed = promisify(gzip)

const LIST = 'list.gz'
const GONE = /^gone-\d{8}T\d{9}Z\.gz$/
/** Of what went between two lists: a year of daily lists, and bytes. The oldest go first. */
const MOST_FILES = 400
const MOST_BYTES = 268_435_456
/** A name that is being written; milliseconds after which nobody writes it any more. */
const UNFINISHED = /^(list|gone-\d{8}T\d{9}Z)\.gz\.[\da-f-]{36}\.new$/
const ABANDONED_MS = 86_400_000

export interface ListsOptions {
  /** `$XDG_STATE_HOME`, or what stands for it. */
  readonly stateHome: string
  readonly endpoint: string
  readonly bucket: string
}

/** Touches nothing until it is read or written. */
export function openLists({ stateHome, endpoint, bucket }: ListsOptions): ListsPort {
  const mark = createHash('sha256').update(`${endpoint.replace(/\/+$/, '')} ${bucket}`)
  const name = `lists-${bucket.replaceAll(/[^a-z0-9-]/g, '_')}-${mark.digest('hex').slice(0, 12)}`
  const folder = join(stateHome, 'mastodon-r2', name)
  return {
    path: folder,

    async read() {
      const newest = await headOf(folder, LIST)
      if (newest?.at === undefined) return undefined
      const at = newest.at
      return { at, keys: () => keysOf(folder, LIST), gone: await chain(folder, at) }
    },

    async keep(next) {
      try {
        await makeFolder(folder)
        await write(folder, next)
        await dropOldest(folder, next.at)
      } catch (error) {
        throw notKept(folder, error)
      }
    },
  }
}

interface Link extends GoneKeys {
  readonly name: string
}

/**
 * Each file reaches back from where the later one began; what lies before a gap does not count. It may
 * have begun at a later time than it ended: the clock was set back in between.
 */
async function chain(folder: string, at: Date): Promise<Link[]> {
  const names = (await readdir(folder)).filter((name) => GONE.test(name))
  const found = new Map<number, Link>()
  for (const name of names) {
    const { from, to, first = 'list' } = (await headOf(folder, name)) ?? {}
    if (!from || !to) continue
    const known = found.get(to.getTime())
    if (known && known.from <= from) continue
    found.set(to.getTime(), { name, from, to, first, keys: () => keysOf(folder, name) })
  }
  const gone: Link[] = []
  let to = at.getTime()
  for (let one = found.get(to); one; one = found.get(to)) {
    gone.push(one)
    found.delete(to)
    to = one.from.getTime()
  }
  return gone
}

async function write(folder: string, { at, keys, gone }: NextList): Promise<void> {
  // First: a run that is cut off in between finds the same once more.
  if (gone) {
    const { from, first } = gone
    const head = { version: 1, first, from: from.toISOString(), to: at.toISOString() }
    const name = `gone-${at.toISOString().replaceAll(/[-:.]/g, '')}.gz`
    await replace(join(folder, name), head, gone.keys.pieces)
  }
  await replace(join(folder, LIST), { version: 1, at: at.toISOString() }, keys.pieces)
}

/** Two runs at once each write a file of their own; either is whole, and so is what it reaches back to. */
async function replace(path: string, head: object, pieces: readonly Buffer[]): Promise<void> {
  const first = await compressed(`${JSON.stringify(head)}\n`)
  await replaceFile(path, [first, ...pieces], `${path}.${randomUUID()}.new`)
}

async function dropOldest(folder: string, at: Date): Promise<void> {
  const all = await readdir(folder)
  for (const name of all.filter((one) => UNFINISHED.test(one))) {
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(join(folder, name), { force: true })
  }
  // Names tell the clock's time, which may have been a wrong one: what hangs together stays together.
  const linked = (await chain(folder, at).catch(unknown)).map(({ name }) => name)
  const others = all.filter((name) => GONE.test(name) && !linked.includes(name)).sort()
  let bytes = 0
  for (const [nth, name] of [...linked, ...others.toReversed()].entries()) {
    const { size } = await stat(join(folder, name)).catch(() => ({ size: 0 }))
    bytes += size
    if (nth >= MOST_FILES || bytes > MOST_BYTES) await rm(join(folder, name), { force: true })
  }
}

/** One that is damaged is told by the next look, and hinders no list from being kept. */
function unknown(error: unknown): readonly Link[] {
  if (error instanceof Problem) return []
  throw error
}

interface Head {
  readonly first?: Beginning
  readonly at?: Date
  readonly from?: Date
  readonly to?: Date
}

/** Undefined where there is no such file. Problem `lists-unreadable`. */
async function headOf(folder: string, name: string): Promise<Head | undefined> {
  for await (const text of textOf(folder, name)) {
    return readHead(folder, name, text.slice(0, text.indexOf('\n')))
  }
  return undefined
}

function readHead(folder: string, name: string, line: string): Head {
  let read: unknown
  try {
    read = JSON.parse(line)
  } catch {
    throw unreadable(folder, damaged(name))
  }
  if (typeof read !== 'object' || read === null) throw unreadable(folder, damaged(name))
  const { version, first, ...times } = read as Record<string, unknown>
  if (version !== 1) throw unreadable(folder, `A newer version of mastodon-r2 has written ${name}.`)
  const dates = Object.entries(times).map(([key, value]) => [key, new Date(String(value))] as const)
  if (dates.some(([, date]) => Number.isNaN(date.getTime()))) {
    throw unreadable(folder, damaged(name))
  }
  return { ...Object.fromEntries(dates), first: first === 'copy' ? 'copy' : 'list' }
}

async function* keysOf(folder: string, name: string): KeyBatches & AsyncGenerator {
  let isHead = true
  for await (const text of textOf(folder, name)) {
    const from = isHead ? text.indexOf('\n') + 1 : 0
    isHead = false
    try {
      yield keysIn(text.slice(from))
    } catch {
      throw unreadable(folder, damaged(name))
    }
  }
}

/** Whole lines, as many as came together; nothing where there is no such file. */
async function* textOf(folder: string, name: string): AsyncGenerator<string> {
  try {
    const handle = await openPlain(join(folder, name), constants.O_RDONLY)
    const file = handle.createReadStream()
    const lines = file.pipe(createGunzip())
    file.on('error', (error) => lines.destroy(error))
    lines.setEncoding('utf8')
    let rest = ''
    try {
      for await (const piece of lines) {
        rest += piece
        const end = rest.lastIndexOf('\n') + 1
        if (end === 0) continue
        yield rest.slice(0, end)
        rest = rest.slice(end)
      }
      if (rest !== '') throw unreadable(folder, damaged(name))
    } finally {
      lines.destroy()
      file.destroy()
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    if (error instanceof Problem) throw error
    const isDamaged = codeOf(error).startsWith('Z_')
    const why = isDamaged
      ? damaged(name)
      : `${name}: ${diskTrouble(codeOf(error)).replace('write', 'read')}`
    throw unreadable(folder, why)
  }
}

function damaged(name: string): string {
  return `${name} is damaged.`
}

function unreadable(folder: string, why: string): Problem {
  return new Problem({
    code: 'lists-unreadable',
    what: `The lists of the bucket in ${folder} can't be read.`,
    why,
    next: `Put that right and run this again. To begin anew, without what they know: ${asideLine(folder)}`,
  })
}

function notKept(folder: string, cause: unknown): Problem {
  return new Problem(
    {
      code: 'list-not-kept',
      what: `The list of the bucket can't be kept in ${folder}.`,
      why: diskTrouble(codeOf(cause)),
      next: 'Put that right and run this again. Another place for it: set XDG_STATE_HOME to a folder on another disk.',
    },
    { cause },
  )
}
