import { Problem } from '../core/problem.ts'
import { type Catalog, fromVariable, variableOf } from './setting.ts'

/**
 * Answers by setting name: one JSON object, in which `media-host` and `mediaHost` are the same, or
 * the variables of the settings as in an env file.
 */
export async function parseAnswers(
  text: string,
  catalog: Catalog,
): Promise<ReadonlyMap<string, unknown>> {
  const answers = new Map<string, unknown>()
  for (const { key, name, value } of await given(text, catalog)) {
    if (name === undefined) throw await unknownAnswer(key, catalog)
    if (catalog[name]?.answerable === false) throw notAnswerable(key, catalog[name].flag)
    if (answers.has(name)) {
      throw bad(`Two answers are about the same setting, ${name}.`, 'Keep one of them.')
    }
    if (value !== null && value !== undefined) {
      answers.set(name, normal(value, catalog[name]?.repeatable === true))
    }
  }
  return answers
}

interface Given {
  /** As it stands there. */
  readonly key: string
  /** Of the setting; undefined where there is none. */
  readonly name: string | undefined
  readonly value: unknown
}

async function given(text: string, catalog: Catalog): Promise<readonly Given[]> {
  if (isJson(text)) {
    return Object.entries(parseObject(text)).map(([key, value]) => ({
      key,
      name: settingName(key, catalog),
      value,
    }))
  }
  const { envLines } = await import('./env-answers.ts')
  const lines = envLines(text, (line) =>
    bad(
      `The answers can't be read: line ${line} is neither JSON nor NAME=value.`,
      `Write ${FORMS}`,
    ),
  )
  if (lines.length === 0) throw bad('The answers are empty.', `Write ${FORMS}`)
  return lines.map(({ name: key, text }) => {
    const [name, setting] = Object.entries(catalog).find(([, it]) => variableOf(it) === key) ?? []
    const value = setting && text !== '' ? fromVariable(setting, text) : undefined
    return { key, name, value }
  })
}

const FORMS = '{"mediaHost": "files.example.com"}, or MASTODON_R2_MEDIA_HOST=files.example.com'

/** What is meant as JSON, right or wrong. */
function isJson(text: string): boolean {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  return /^[[{"]/.test(trimmed) || /^(null|true|false|-?\d[\d.]*)$/.test(trimmed)
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
  return found?.[0]
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function normal(value: unknown, repeatable: boolean): unknown {
  return repeatable && typeof value === 'string' ? [value] : value
}

async function unknownAnswer(key: string, catalog: Catalog): Promise<Problem> {
  const { isShowable, nearest } = await import('../core/nearest.ts')
  const known = Object.entries(catalog).filter(([, it]) => it.answerable !== false)
  const isVariable = /^[A-Z][A-Z0-9]*_/.test(key)
  const names = known.map(([name, it]) => (isVariable ? variableOf(it) : name))
  const guess = nearest(key, names)
  const shown = isShowable(key.replace(/^--/, '')) || /^[A-Z]+(_[A-Z0-9]{1,12})+$/.test(key)
  return bad(
    shown
      ? `The answers hold a setting that does not exist: ${JSON.stringify(key)}.`
      : 'The answers hold a setting that does not exist.',
    guess === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${guess}"?`,
  )
}

function notAnswerable(key: string, flag: string): Problem {
  return bad(
    `The answers hold ${JSON.stringify(key)}, which can't stand there.`,
    `Give it as the flag ${flag}, or as a variable of this run.`,
  )
}

function bad(what: string, next: string): Problem {
  return new Problem({
    code: 'answers-wrong',
    what,
    why: '--answers takes one JSON object, or variables as in an env file; every name must be known.',
    next,
    exit: 2,
  })
}
