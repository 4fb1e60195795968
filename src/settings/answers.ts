import { Problem } from '../core/problem.ts'
import type { Catalog } from './setting.ts'

/** JSON text → answers by setting name; `media-host` and `mediaHost` are the same. */
export async function parseAnswers(
  text: string,
  catalog: Catalog,
): Promise<ReadonlyMap<string, unknown>> {
  const answers = new Map<string, unknown>()
  for (const [key, value] of Object.entries(parseObject(text))) {
    const name = settingName(key, catalog)
    if (name === undefined) throw await unknownAnswer(key, catalog)
    if (answers.has(name)) {
      throw bad(`Two answers are about the same setting, ${name}.`, 'Keep one of them.')
    }
    if (value !== null) answers.set(name, normal(value, catalog[name]?.repeatable === true))
  }
  return answers
}

function parseObject(text: string): object {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    // V8's message quotes the text, which may hold a token.
    throw bad(
      'The answers are not JSON.',
      'Check quotes and commas: {"mediaHost": "files.example.com"}',
    )
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw bad('The answers are not a JSON object.', 'Write {"name": value, ...}.')
  }
  return parsed
}

function settingName(key: string, catalog: Catalog): string | undefined {
  const flag = `--${key}`
  const found = Object.entries(catalog).find(
    ([name, it]) =>
      name === key ||
      it.flag === flag ||
      it.formerly?.some((former) => former === flag || former === `--${kebab(key)}`),
  )
  return found?.[1].answerable === false ? undefined : found?.[0]
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function normal(value: unknown, repeatable: boolean): unknown {
  return repeatable && typeof value === 'string' ? [value] : value
}

async function unknownAnswer(key: string, catalog: Catalog): Promise<Problem> {
  const { nearest } = await import('../core/nearest.ts')
  const names = Object.entries(catalog).flatMap(([name, it]) =>
    it.answerable === false ? [] : [name],
  )
  const guess = nearest(key, names)
  return bad(
    `The answers hold a setting that does not exist: ${JSON.stringify(key.slice(0, 60))}.`,
    guess === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${guess}"?`,
  )
}

function bad(what: string, next: string): Problem {
  return new Problem({
    code: 'answers-wrong',
    what,
    why: '--answers takes one JSON object, and every name in it must be known.',
    next,
    exit: 2,
  })
}
