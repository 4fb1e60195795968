import { readFile } from 'node:fs/promises'

const PLACEHOLDER = /\{\{([A-Z][A-Z0-9_]*)\}\}/g
const OPTIONAL_LINE = /^.*\{\{([A-Z][A-Z0-9_]*)\?\}\}.*\n/gm

/**
 * A template with each `{{NAME}}` replaced by its value, once: values are never looked through
 * again. A line with `{{NAME?}}` is left out where there is no such value. A name without a value, a
 * value without a name and a malformed `{{…}}` are bugs: Error.
 */
export function render(source: string, values: Readonly<Record<string, string>>): string {
  const template = source.replace(OPTIONAL_LINE, (line, name: string) =>
    Object.hasOwn(values, name) ? line.replace('?}}', '}}') : '',
  )
  const used = new Set<string>()
  const text = template.replace(PLACEHOLDER, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) throw new Error(`The template names {{${name}}}, which has no value.`)
    used.add(name)
    return value
  })
  const malformed = /\{\{|\}\}/.test(template.replace(PLACEHOLDER, ''))
  if (malformed) throw new Error('The template has {{ or }} outside a {{NAME}}.')
  const unused = Object.keys(values).filter((name) => !used.has(name))
  if (unused.length > 0) throw new Error(`The template never names ${unused.join(', ')}.`)
  return text
}

/** The text of a file in templates/, which lies beside src/ and beside dist/ alike. */
export function readTemplate(name: string): Promise<string> {
  return readFile(new URL(`../templates/${name}`, import.meta.url), 'utf8')
}
