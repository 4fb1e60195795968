/** How wide a chart may be, and whether it may use more than ASCII. */
export interface Screen {
  readonly width: number
  readonly unicode: boolean
}

/** Lines of a chart's bars. */
const HEIGHT = 5
const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const LABEL = 7
/** From here on a day is two columns wide. */
const WIDE = 74

/** `950`, `12.3k`, `1.2M`: at most six columns. */
export function short(number: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (number < size * 0.9995) continue
    const value = number / size
    return `${value.toFixed(value < 99.95 ? 1 : 0)}${unit}`
  }
  return String(Math.round(number))
}

/** One bar a day, the oldest first, with the highest value and the first and last day beside it. */
export function dayChart(
  days: readonly { readonly day: string; readonly value: number }[],
  { width, unicode }: Screen,
): string[] {
  const highest = Math.max(...days.map(({ value }) => value), 0)
  const column = width >= WIDE ? 2 : 1
  const shown = days.slice(-Math.floor((width - LABEL - 2) / column))
  const side = unicode ? '│' : '|'
  const rows = Array.from({ length: HEIGHT }, (_, at) => {
    const label = at === 0 ? short(highest) : ''
    const bars = shown.map(({ value }) =>
      barAt(highest === 0 ? 0 : value / highest, HEIGHT - 1 - at, unicode).padEnd(column),
    )
    return `${label.padStart(LABEL)} ${side}${bars.join('')}`
  })
  const base = (unicode ? '─' : '-').repeat(shown.length * column)
  const [first = '', last = ''] = [shown[0]?.day.slice(5), shown.at(-1)?.day.slice(5)]
  const between = ' '.repeat(Math.max(1, shown.length * column - first.length - last.length))
  return [
    ...rows.map((row) => row.trimEnd()),
    `${'0'.padStart(LABEL)} ${unicode ? '└' : '+'}${base}`,
    `${' '.repeat(LABEL + 2)}${first}${between}${last}`,
  ]
}

/** What of a bar stands in one line, counted from below. A day with anything at all has a mark. */
function barAt(share: number, line: number, unicode: boolean): string {
  const eighths = share > 0 ? Math.max(1, Math.round(share * HEIGHT * 8)) : 0
  const here = Math.min(8, Math.max(0, eighths - line * 8))
  if (unicode) return EIGHTHS[here] as string
  return here >= 4 ? '#' : here > 0 && line === 0 ? '.' : ' '
}

/** A bar of a share (0 to 1); what is not nothing has a mark. */
export function shareBar(share: number, width: number, unicode: boolean): string {
  const eighths = share > 0 ? Math.max(1, Math.round(share * width * 8)) : 0
  if (!unicode) return '#'.repeat(eighths > 0 ? Math.max(1, Math.round(share * width)) : 0)
  const rest = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8]
  return `${'█'.repeat(Math.floor(eighths / 8))}${rest}`
}
