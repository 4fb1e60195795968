import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Import {
  /** Path below src/, e.g. `steps/cors.ts`. */
  readonly file: string
  /** `import type`, `export type`, `typeof import(…)`: gone at run time. */
  readonly kind: 'value' | 'type' | 'dynamic'
  /** A path below src/ when it is a file of ours, else the package or `node:` name as written. */
  readonly target: string
}

export const src = fileURLToPath(new URL('../../src/', import.meta.url))

/** Every file below src/, as paths with `/`. */
export function sourceFiles(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
}

export function readSource(file: string): string {
  return readFileSync(join(src, file), 'utf8')
}

const STATEMENT = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^'"`;]*?\sfrom\s+)?'([^']+)'/gm
const CALL = /(typeof\s+)?\bimport\(\s*'([^']+)'\s*\)/g

/** The imports of one file's text. Relative targets are resolved against the file. */
export function findImports(file: string, text: string): Import[] {
  const code = withoutComments(text)
  const found = (match: RegExpMatchArray, whenPlain: Import['kind']): Import => ({
    file,
    kind: match[1] === undefined ? whenPlain : 'type',
    target: resolve(file, match[2] ?? ''),
  })
  return [
    ...[...code.matchAll(STATEMENT)].map((match) => found(match, 'value')),
    ...[...code.matchAll(CALL)].map((match) => found(match, 'dynamic')),
  ]
}

const TOKEN =
  /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g

/** Module names stand between single quotes (the formatter sees to it): all else may go. */
function withoutComments(text: string): string {
  return text.replace(TOKEN, (part) => (part.startsWith("'") ? part : ''))
}

/** The text without comments and without what strings say; `${…}` in a template stays. */
export function bareCode(text: string): string {
  return text.replace(TOKEN, (part) => {
    if (part.startsWith('/')) return ''
    if (!part.startsWith('`')) return "''"
    return [...part.matchAll(/\$\{[^}]*\}/g)].join(' ')
  })
}

function resolve(file: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  return relative(src, join(src, dirname(file), specifier))
}
