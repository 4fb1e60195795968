import { type Node, parseAllDocuments, type ScalarTag, visit } from 'yaml'
import { Problem } from '../../../core/problem.ts'
import { shellWord } from '../../../core/shell-word.ts'
import { isDict } from './merge.ts'

/** One document of a compose file. */
export interface ComposeDocument {
  readonly content: Readonly<Record<string, unknown>>
  /** Where `!reset` and `!override` stand: what files before this one say there is dropped. */
  readonly dropped: readonly (readonly string[])[]
}

/** Go's YAML reads more as numbers than YAML 1.2 does: `0777` is octal, `1_000` a thousand. */
const numbersOfGo: ScalarTag[] = [
  {
    tag: 'tag:yaml.org,2002:int',
    default: true,
    test: /^[-+]?0[0-7_]+$/,
    resolve: (text) => Number.parseInt(text.replaceAll('_', ''), 8),
  },
  {
    tag: 'tag:yaml.org,2002:int',
    default: true,
    test: /^[-+]?[1-9][0-9]*_[0-9_]*$/,
    resolve: (text) => BigInt(text.replaceAll('_', '').replace(/^\+/, '')),
  },
]

/** Problem: `compose-file-broken` (exit 2). */
export function parseCompose(file: string, text: string): ComposeDocument[] {
  const documents = parseAllDocuments(text, {
    merge: true,
    logLevel: 'error',
    intAsBigInt: true,
    customTags: (tags) => [...numbersOfGo, ...tags],
  })
  const all = Array.isArray(documents) ? documents : []
  for (const { errors } of all) {
    const [error] = errors
    if (error !== undefined) throw broken(file, error.linePos?.[0].line)
  }
  return all.map((document) => {
    const dropped: string[][] = []
    visit(document, {
      Pair(_, pair, ancestors) {
        const tag = (pair.value as Node | null)?.tag
        if (tag !== '!reset' && tag !== '!override') return undefined
        dropped.push(pathOf([...ancestors, pair]))
        return tag === '!reset' ? visit.REMOVE : undefined
      },
    })
    const content: unknown = document.toJS()
    return { content: isDict(content) ? content : {}, dropped }
  })
}

/** Keys from the top, without the merge key. */
function pathOf(nodes: readonly unknown[]): string[] {
  return nodes.flatMap((one) => {
    const key = (one as { readonly key?: Node & { readonly value?: unknown } }).key
    const name = key === undefined || key === null ? undefined : String(key.value)
    return name === undefined || name === '<<' ? [] : [name]
  })
}

function broken(file: string, line: number | undefined): Problem {
  return new Problem({
    code: 'compose-file-broken',
    what: `${file} can't be understood.`,
    why: `It is no valid YAML${line === undefined ? '' : `; look at line ${line}`}.`,
    next: `Type this to see the fault: docker compose -f ${shellWord(file)} config --quiet`,
    exit: 2,
  })
}
