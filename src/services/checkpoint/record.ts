import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Problem } from '../../core/problem.ts'
import { codeOf } from '../../core/problem.ts'
import type { StoredVersion } from './port.ts'

/** More versions than this are not kept in memory; what is not known is copied once more. */
const MOST_VERSIONS = 200_000
/** Bytes that are read at once. */
const CHUNK = 262_144

/**
 * A file that only grows, one JSON array `[key, changedAt?]` a line. A line that a killed run left
 * torn is passed over.
 */
export function openRecord(path: string, notWritable: (path: string, cause: unknown) => Problem) {
  let endsWell = false

  async function append(puts: readonly (string | StoredVersion)[]): Promise<void> {
    if (puts.length === 0) return
    const lines = puts.map((put) =>
      JSON.stringify(typeof put === 'string' ? [put] : [put.key, put.changedAt]),
    )
    try {
      const handle = await open(path, 'a+', 0o600)
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
        const [key] = parse(line) ?? []
        if (key !== undefined && keys.has(key)) found.add(key)
      }
    }
    return found
  }

  async function versions(since: number): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>()
    for await (const lines of linesOf(path)) {
      for (const line of lines) {
        // Of a million lines few are this young: the rest is not parsed.
        if (!(timeOf(line) > since)) continue
        const [key, changedAt] = parse(line) ?? []
        if (key === undefined || changedAt === undefined) continue
        if (found.size < MOST_VERSIONS || found.has(key)) found.set(key, changedAt)
      }
    }
    return found
  }

  return { append, among, versions }
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
    for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: CHUNK })) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      yield lines
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  yield [rest]
}

/** The number behind the last comma; NaN where there is none. */
function timeOf(line: string): number {
  return Number.parseFloat(line.slice(line.lastIndexOf(',') + 1))
}

function parse(line: string): readonly [string, number | undefined] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (!Array.isArray(value) || typeof value[0] !== 'string') return undefined
    return [value[0], typeof value[1] === 'number' ? value[1] : undefined]
  } catch {
    return undefined
  }
}
