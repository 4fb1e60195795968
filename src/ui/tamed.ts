import type { Render, Ui } from './port.ts'

/**
 * C0 but line ends and tabs, DEL, C1, and what turns the direction of writing or hides (Unicode UAX 9
 * and 31): a terminal would obey them, whoever wrote them.
 */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/g

/** The same text with such characters to be read, as in `\x1b`. */
export function tame(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(OBEYED, (sign) => {
    const code = sign.charCodeAt(0).toString(16)
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`
  })
}

/** Tells Text without what a terminal would obey. */
export function tameRender(render: Render): Render {
  return (text) => tame(render(text))
}

/**
 * A voice that is only given what can be printed: words come from env files, host names, flags and
 * other people's programs. Its own colours are put in behind this. What is printed for a file
 * (`block`) stays as it is.
 */
export function tamed(ui: Ui): Ui {
  const { ask, choose, agree, block, ...rest } = ui
  const all = Object.entries(rest).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value]
    const said = value as (...args: unknown[]) => unknown
    return [name, (...args: unknown[]) => said(...args.map(tameAll))]
  })
  return {
    ...(Object.fromEntries(all) as typeof rest),
    block,
    ask: (question) => {
      const { fault } = question
      return ask({
        ...(tameAll(question) as typeof question),
        fault: (typed) => {
          const found = fault(typed)
          return found === undefined ? undefined : tame(found)
        },
      })
    },
    // The answer is one of the values, which stay as they are.
    choose: ({ message, options, ...more }) =>
      choose({
        ...more,
        message: tame(message),
        options: options.map((option) => ({
          ...(tameAll(option) as typeof option),
          value: option.value,
        })),
      }),
    agree: (question, safe) => agree(tame(question), safe),
  }
}

/** Through plain data; what is of a class, such as Text, is told by the render. */
function tameAll(value: unknown): unknown {
  if (typeof value === 'string') return tame(value)
  if (Array.isArray(value)) return value.map(tameAll)
  const isPlain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  if (!isPlain) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [tame(name), tameAll(one)]))
}
