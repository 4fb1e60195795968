import {
  type Comparison,
  type Expression,
  fieldNamed,
  functionNamed,
  RuleLanguageError,
  type Signature,
  type ValueType,
} from './language.ts'

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
function tokens(expression: string): Token[] {
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

const comparisons: Readonly<Record<string, Comparison>> = {
  eq: 'eq',
  '==': 'eq',
  ne: 'ne',
  '!=': 'ne',
  lt: 'lt',
  '<': 'lt',
  le: 'le',
  '<=': 'le',
  gt: 'gt',
  '>': 'gt',
  ge: 'ge',
  '>=': 'ge',
  contains: 'contains',
  wildcard: 'wildcard',
}

/**
 * The part of Cloudflare's rule language that this project sends; RuleLanguageError for all else,
 * and where the whole is not of type `wanted`.
 */
export function parse(
  text: string,
  wanted: ValueType,
  phase: 'request' | 'response' = 'request',
): Expression {
  const parser = new Parser(tokens(text), phase)
  const expression = parser.whole()
  if (expression.type !== wanted) {
    throw new RuleLanguageError(`it gives a ${expression.type}, and a ${wanted} is needed`)
  }
  return expression
}

class Parser {
  readonly #tokens: readonly Token[]
  readonly #phase: 'request' | 'response'
  #at = 0

  constructor(tokens: readonly Token[], phase: 'request' | 'response') {
    this.#tokens = tokens
    this.#phase = phase
  }

  whole(): Expression {
    const expression = this.#or()
    if (this.#here.is !== 'end') throw this.#unexpected()
    return expression
  }

  #or(): Expression {
    let left = this.#and()
    while (this.#skip('or', '||')) left = this.#joined('or', left, this.#and())
    return left
  }

  #and(): Expression {
    let left = this.#not()
    while (this.#skip('and', '&&')) left = this.#joined('and', left, this.#not())
    return left
  }

  #joined(is: 'and' | 'or', left: Expression, right: Expression): Expression {
    return { is, left: this.#truth(left), right: this.#truth(right), type: 'boolean' }
  }

  #not(): Expression {
    if (this.#skip('not', '!')) {
      return { is: 'not', of: this.#truth(this.#not()), type: 'boolean' }
    }
    if (!this.#skip('(')) return this.#comparison()
    const inner = this.#or()
    this.#expect(')')
    return inner
  }

  #truth(expression: Expression): Expression {
    if (expression.type !== 'boolean') throw new RuleLanguageError('a condition is missing')
    return expression
  }

  #comparison(): Expression {
    const left = this.#value()
    if (this.#skip('in')) return this.#membership(left)
    if (this.#skip('matches', '~')) functionNamed('matches')
    const strict = this.#skip('strict')
    const by = comparisons[this.#here.text]
    if (this.#here.is === 'text' || by === undefined || (strict && by !== 'wildcard')) {
      if (strict) throw this.#unexpected()
      return left
    }
    this.#at += 1
    const right = this.#value()
    if (right.is !== 'value' || right.type !== left.type) {
      throw new RuleLanguageError(`a ${left.type} is compared with something else`)
    }
    const ordered = ['lt', 'le', 'gt', 'ge'].includes(by)
    const wordy = by === 'contains' || by === 'wildcard'
    if ((ordered && left.type !== 'number') || (wordy && left.type !== 'text')) {
      throw new RuleLanguageError(`${by} does not go with a ${left.type}`)
    }
    return { is: 'compare', by: strict ? 'strict' : by, left, right, type: 'boolean' }
  }

  #membership(left: Expression): Expression {
    const { is, text } = this.#here
    if (is === 'list') {
      this.#at += 1
      return { is: 'listed', left, list: text, type: 'boolean' }
    }
    this.#expect('{')
    const values: unknown[] = []
    while (!this.#skip('}')) {
      const item = this.#value()
      if (item.is !== 'value' || item.type !== left.type) throw this.#unexpected()
      values.push(item.value)
    }
    if (values.length === 0) throw new RuleLanguageError('an empty set')
    return { is: 'one-of', left, values, type: 'boolean' }
  }

  #value(): Expression {
    const { is, text } = this.#here
    this.#at += 1
    if (is === 'text') return { is: 'value', value: text, type: 'text' }
    if (is === 'number') return { is: 'value', value: Number(text), type: 'number' }
    if (is !== 'word') {
      this.#at -= 1
      throw this.#unexpected()
    }
    if (text === 'true' || text === 'false') {
      return { is: 'value', value: text === 'true', type: 'boolean' }
    }
    if (this.#skip('(')) return this.#call(text, functionNamed(text))
    return { is: 'field', name: text, type: fieldNamed(text, this.#phase).type }
  }

  #call(name: string, { args: types, needed, rest, gives }: Signature): Expression {
    const args: Expression[] = []
    do {
      const arg = this.#value()
      const type = types[args.length] ?? (rest ? types.at(-1) : undefined)
      if (arg.type !== type) throw new RuleLanguageError(`${name}: argument ${args.length + 1}`)
      args.push(arg)
    } while (this.#skip(','))
    this.#expect(')')
    if (args.length < needed) throw new RuleLanguageError(`${name} needs ${needed} arguments`)
    return { is: 'call', name, args, type: gives }
  }

  get #here(): Token {
    return this.#tokens[this.#at] ?? { is: 'end', text: 'the end' }
  }

  #skip(...texts: string[]): boolean {
    const { is, text } = this.#here
    const found = (is === 'word' || is === 'sign') && texts.includes(text)
    if (found) this.#at += 1
    return found
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw this.#unexpected()
  }

  #unexpected(): RuleLanguageError {
    return new RuleLanguageError(`unexpected ${this.#here.text}`)
  }
}
