import { filtered } from './plain.ts'

/** One column stays one column, or clack would lose count of its lines. */
const PLAIN: ReadonlyMap<string, string> = new Map(
  [
    ['◆◇◈', '*'],
    ['■✖✗', 'x'],
    ['▲', '!'],
    ['✔', '+'],
    ['◒◐◓◑', '-'],
    ['│├┤┃', '|'],
    ['─━╌', '-'],
    ['┌┐└┘╭╮╰╯┬┴┼', '+'],
    ['●◼', '>'],
    ['○◻▫', ' '],
    ['▪•·', '*'],
    ['‘’', "'"],
    ['“”', '"'],
    ['–—', '-'],
    ['…', '.'],
    ['→', '>'],
  ].flatMap(([signs = '', plain = '']) => [...signs].map((sign) => [sign, plain] as const)),
)

/**
 * Whether the terminal's character set is UTF-8, by the variables of locale(7) in their order. The
 * console of Linux (TERM=linux) lacks most signs. Nothing set at all is taken for UTF-8.
 */
export function speaksUtf8(environment: Readonly<Record<string, string | undefined>>): boolean {
  if (environment.TERM === 'linux') return false
  const { LC_ALL, LC_CTYPE, LANG } = environment
  const locale = LC_ALL || LC_CTYPE || LANG || 'UTF-8'
  return /utf-?8/i.test(locale)
}

/** The same terminal with ASCII alone: signs become plain ones, letters lose their marks. */
export function inAscii(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return filtered(stream, plain)
}

function plain(text: string): string {
  return text.replaceAll('\u2191/\u2193', 'Up/Down').replace(/\P{ASCII}/gu, (sign) => {
    const [letter = ''] = sign.normalize('NFKD')
    return PLAIN.get(sign) ?? (letter <= '\x7F' ? letter : '?')
  })
}
