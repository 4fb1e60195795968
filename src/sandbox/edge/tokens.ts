import { RuleLanguageError } from './rule-language-error.ts'

export interface Token {
  readonly is: 'word' | 'text' | 'number' | 'list' | 'sign' | 'end'
  /** A string's content without quotes, a list's name without its dollar sign. */
  readonly text: string
}

const shapes: readonly (readonly [Token['is'] | 'space' | 'raw', RegExp])[] = [
  ['space', /\s+/y],
  ['raw', /r(#*)"([\s\S]*?)"\1(?!#)/y],
  ['text', /"(?:[^"\\]|\\.)*"/y],
  ['word', /[a-z_][a-z0-9_.]*/y],
  ['number', /-?\d+/y],
  ['list', /\$[a-z0-9_]+/y],
  ['sign', /&&|\|\||==|!=|<=|>=|[(){},!<>]/y],
]

/** The parts of an expression of Cloudflare's rule language; throws RuleLanguageError. */
export function tokens(expression: string): Token[] {
  const found: Token[] = []
  let at = 0
  while (at < expression.length) {
    const [is, match] = next(expression, at)
    at += match[0].length
    if (is === 'raw') found.push({ is: 'text', text: match[2] ?? '' })
    else if (is === 'text') found.push({ is, text: unescaped(match[0].slice(1, -1)) })
    else if (is === 'list') found.push({ is, text: match[0].slice(1) })
    else if (is !== 'space') found.push({ is, text: match[0] })
  }
  return [...found, { is: 'end', text: 'the end' }]
}

function next(expression: string, at: number): [(typeof shapes)[number][0], RegExpExecArray] {
  for (const [is, pattern] of shapes) {
    pattern.lastIndex = at
    const match = pattern.exec(expression)
    if (match) return [is, match]
  }
  throw new RuleLanguageError(`unknown text at ${at}: ${expression.slice(at, at + 20)}`)
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(x[0-9a-fA-F]{2}|.)/gs, (whole, mark: string) => {
    if (mark === '"' || mark === '\\') return mark
    if (mark.length === 3) return String.fromCharCode(Number.parseInt(mark.slice(1), 16))
    throw new RuleLanguageError(`unknown escape ${whole}`)
  })
}
