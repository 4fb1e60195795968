/** A field of a GraphQL query with what was asked of it. */
export interface Field {
  readonly name: string
  /** The name in the answer: its alias, where it has one. */
  readonly as: string
  readonly args: Readonly<Record<string, Value>>
  /** Undefined where it has no selection. */
  readonly fields: readonly Field[] | undefined
}

/** Names of an enumeration are texts here. */
export type Value = string | number | boolean | null | Value[] | { [name: string]: Value }

/** The query can't be read. */
export class GraphqlSyntax extends Error {}

const TOKEN =
  /\s*(?:#[^\n]*\n\s*|,\s*)*([A-Za-z_]\w*|-?\d+(?:\.\d+)?|"(?:[^"\\]|\\.)*"|[{}()[\]:$!=])/y

/**
 * The fields of one anonymous or named query, variables filled in: as much of GraphQL as
 * Cloudflare's examples use. Throws GraphqlSyntax.
 */
export function readQuery(
  text: string,
  variables: Readonly<Record<string, unknown>>,
): readonly Field[] {
  const tokens = tokenize(text)
  let at = 0
  const peek = () => tokens[at]
  const next = () => {
    const token = tokens[at]
    if (token === undefined) throw new GraphqlSyntax('the query ends too early')
    at += 1
    return token
  }
  const expect = (sign: string) => {
    const found = next()
    if (found !== sign) throw new GraphqlSyntax(`expected ${sign}, found ${found}`)
  }

  function value(): Value {
    const token = next()
    if (token === '$') return given(next(), variables)
    if (token === '[') {
      const items: Value[] = []
      while (peek() !== ']') items.push(value())
      expect(']')
      return items
    }
    if (token === '{') return entries('}')
    if (token.startsWith('"')) return JSON.parse(token) as string
    if (/^-?\d/.test(token)) return Number(token)
    if (token === 'true' || token === 'false') return token === 'true'
    return token === 'null' ? null : token
  }

  function entries(end: string): Record<string, Value> {
    const found: Record<string, Value> = {}
    while (peek() !== end) {
      const name = next()
      expect(':')
      found[name] = value()
    }
    expect(end)
    return found
  }

  function selection(): Field[] {
    expect('{')
    const fields: Field[] = []
    while (peek() !== '}') {
      const first = next()
      if (!/^[A-Za-z_]/.test(first)) throw new GraphqlSyntax(`unexpected ${first}`)
      const isAlias = peek() === ':'
      if (isAlias) expect(':')
      const name = isAlias ? next() : first
      const hasArgs = peek() === '('
      if (hasArgs) expect('(')
      const args = hasArgs ? entries(')') : {}
      fields.push({ name, as: first, args, fields: peek() === '{' ? selection() : undefined })
    }
    expect('}')
    return fields
  }

  if (peek() === 'query') {
    // The types of variables are the server's to know.
    while (peek() !== '{') next()
  }
  const fields = selection()
  if (at < tokens.length) throw new GraphqlSyntax(`unexpected ${peek()}`)
  return fields
}

function given(name: string, variables: Readonly<Record<string, unknown>>): Value {
  return (variables[name] ?? null) as Value
}

function tokenize(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let end = 0; end < text.trimEnd().length; end = TOKEN.lastIndex) {
    const [, token] = TOKEN.exec(text) ?? []
    if (token === undefined) throw new GraphqlSyntax('unexpected character')
    tokens.push(token)
  }
  return tokens
}
