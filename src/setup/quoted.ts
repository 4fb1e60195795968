import { Problem } from '../core/problem.ts'

/** The same in every reader of env files: Ruby's dotenv, bash, systemd, Compose. */
const BARE = /^[A-Za-z0-9._:/,@%+=-]*$/

/**
 * A value, written so that the reader of that format gets it back and takes nothing in it for
 * syntax.
 */
export const quoted = {
  /**
   * A line of an env file. No spelling of a quote mark, a backslash or a control character means
   * the same to all readers: those are a Problem `value-unwritable`.
   */
  env(value: string): string {
    if (BARE.test(value)) return value
    if (/['\\]|[^\x20-\x7e]/.test(value)) throw unwritable()
    return `'${value}'`
  },

  json: asJson,

  /** A YAML 1.2 double-quoted scalar: JSON is one. */
  yaml: asJson,

  /** YAML in which Compose replaces `$NAME` (docs.docker.com, compose-file/interpolation). */
  compose: (value: string) => asJson(value.replaceAll('$', '$$$$')),

  /** YAML in which Ansible runs Jinja, unless it is told not to (Ansible docs, unsafe strings). */
  ansible: (value: string) => `${/\{[{%#]/.test(value) ? '!unsafe ' : ''}${asJson(value)}`,

  /** A Nix string (Nix manual, string literals). Nix has no escapes for control characters. */
  nix(value: string): string {
    const escaped = value.replace(/["\\]|\$(?=\{)/g, '\\$&')
    return `"${escaped.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`
  },

  /**
   * A Terraform string: fewer escapes than JSON has, one for signs beyond 16 bits, and none for
   * templates that is right after another `$` (Terraform docs, language/expressions/strings).
   */
  hcl(value: string): string {
    const syntax = /["\\]|[$%](?=\{)|[^\x20-\x7e]/gu
    return `"${value.replace(syntax, (sign) => (/["\\]/.test(sign) ? `\\${sign}` : asCode(sign)))}"`
  },
} as const

function asJson(value: string): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, asCode)
}

function asCode(sign: string): string {
  const code = (sign.codePointAt(0) ?? 0).toString(16)
  return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`
}

/** The value may be a key, so it is not named. */
function unwritable(): Problem {
  return new Problem({
    code: 'value-unwritable',
    what: 'A storage setting holds a quote mark, a backslash or a character that can not be seen.',
    why: 'The programs that read env files disagree about what those mean.',
    next: 'Use a value without them, or print another format: --format json or --format kubernetes.',
    exit: 2,
  })
}
