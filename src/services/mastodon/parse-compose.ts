import { parseDocument } from 'yaml'
import { Problem } from '../../core/problem.ts'

export interface ComposeFile {
  readonly services?: Readonly<Record<string, unknown>>
}

/** Problem: `compose-file-broken` (exit 2). */
export function parseCompose(file: string, text: string): ComposeFile {
  // Compose's own tags (!reset, !override) are unknown to the parser: no reason to warn.
  const document = parseDocument(text, { merge: true, logLevel: 'error' })
  const [error] = document.errors
  if (error === undefined) return (document.toJS() as ComposeFile | null) ?? {}
  const line = error.linePos?.[0].line
  throw new Problem({
    code: 'compose-file-broken',
    what: `${file} can't be understood.`,
    why: `It is no valid YAML${line === undefined ? '' : `; look at line ${line}`}.`,
    next: `Type this to see the fault: docker compose -f ${file} config --quiet`,
    exit: 2,
  })
}
