import { describe, expect, test } from 'vitest'
import { readSource, sourceFiles } from '../architecture/imports.ts'

interface Thrown {
  /** `file:line`. */
  readonly at: string
  readonly code: string
  /** As written; undefined where nothing is said: 1, or what the function around adds. */
  readonly exit: string | undefined
  /** The object literal around the code. */
  readonly text: string
}

/** The codes of Problems as the sources write them: in literals that say what happened as well. */
function thrown(): Thrown[] {
  // The sandbox answers as Cloudflare does, and throws no Problem.
  const files = sourceFiles().filter((file) => !file.startsWith('sandbox/'))
  return files.flatMap((file) => {
    const source = readSource(file)
    return [...source.matchAll(/\bcode: (?:'([^']+)'|(`[^`]+`))/g)].flatMap((match) => {
      const text = literalAround(source, match.index)
      if (!/new Problem\(|\bwhat\b|\.\.\./.test(text) || /\bz\.|input:/.test(text)) return []
      const line = source.slice(0, match.index).split('\n').length
      const exit = /\bexit: ([^,\n}]+)/.exec(text)?.[1]?.trim()
      return [{ at: `${file}:${line}`, code: match[1] ?? match[2] ?? '', exit, text }]
    })
  })
}

function literalAround(source: string, at: number): string {
  const walk = (step: 1 | -1, opens: string, closes: string) => {
    let depth = 0
    for (let i = at; i > 0 && i < source.length; i += step) {
      if (source[i] === closes) depth += 1
      if (source[i] === opens && depth-- === 0) return i
    }
    throw new Error('A code stands in a literal.')
  }
  return source.slice(walk(-1, '{', '}'), walk(1, '}', '{') + 1)
}

const found = thrown()
const where = ({ code, at }: Thrown) => `${code} (${at})`

describe('one error, one code, one exit code', () => {
  test('the sources have codes, or nothing below means anything', () => {
    expect(found.length).toBeGreaterThan(100)
    expect(found.map(({ code }) => code)).toContain('env-file-not-writable')
  })

  test('each code stands in one place', () => {
    const isAgain = ({ code }: Thrown) => found.filter((other) => other.code === code).length > 1
    expect(found.filter(isAgain).map(where)).toEqual([])
  })

  test('a code is a word, or begins a family of answers', () => {
    const odd = found.filter(({ code }) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code))
    expect(odd.map(({ code }) => code).sort()).toEqual([
      '`$' + '{id}-did-not-take`',
      '`cloudflare-$' + '{number}`',
      '`public-$' + '{code}`',
      '`s3-$' + '{status}`',
    ])
  })

  test('its exit code is written there: 2, or none, which is 1', () => {
    const chosen = found.filter(({ exit }) => exit !== undefined && exit !== '2')
    expect(chosen.map(where)).toEqual([])
  })

  test('who says that nothing was changed ends with 2', () => {
    // Ctrl-C has an exit code of its own.
    const untrue = found.filter(
      ({ code, exit, text }) =>
        /Nothing was changed/.test(text) && exit !== '2' && code !== 'cancelled',
    )
    expect(untrue.map(where)).toEqual([])
  })
})
