/** Colours of a terminal, by their numbers in SGR sequences (ECMA-48). */
export const light = {
  name: 'light',
  back: '#ffffff',
  text: '#24292f',
  dim: '#6e7781',
  colours: ['#24292f', '#cf222e', '#116329', '#7d4e00', '#0969da', '#8250df', '#1b7c83', '#57606a'],
}
export const dark = {
  name: 'dark',
  back: '#0d1117',
  text: '#e6edf3',
  dim: '#8b949e',
  colours: ['#8b949e', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#e6edf3'],
}

const [CELL, LINE, SIZE, EDGE] = [8.4, 19, 14, 16]
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
const SGR = /\u001B\[([\d;]*)m/

/** A line without its colours. */
export function textOf(line) {
  return line.replace(new RegExp(SGR, 'g'), '')
}

const plain = { colour: undefined, bold: false, dim: false, inverse: false }

function after(style, code) {
  if (code === 0) return plain
  if (code === 1) return { ...style, bold: true }
  if (code === 2) return { ...style, dim: true }
  if (code === 7) return { ...style, inverse: true }
  if (code === 22) return { ...style, bold: false, dim: false }
  if (code === 27) return { ...style, inverse: false }
  if (code === 39) return { ...style, colour: undefined }
  const colour = code >= 90 ? code - 90 : code - 30
  return colour >= 0 && colour < 8 ? { ...style, colour } : style
}

const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** Lines as tmux captures them with -e, as a picture; its title is the text alone. */
export function svgOf(lines, { back, text, dim, colours }) {
  let style = plain
  const width = Math.max(...lines.map((line) => textOf(line).length)) * CELL + 2 * EDGE
  const height = lines.length * LINE + 2 * EDGE
  const drawn = lines.flatMap((line, row) => {
    let column = 0
    return line.split(SGR).flatMap((part, turn) => {
      if (turn % 2 === 1) {
        for (const code of part.split(';')) style = after(style, Number(code))
        return []
      }
      const begin = column
      column += part.length
      if (part.trim() === '' && !style.inverse) return []
      // Browsers leave out spaces at the beginning, and all but one of several.
      const words = style.inverse ? part : part.trim()
      const at = begin + part.indexOf(words)
      const [x, y] = [(EDGE + at * CELL).toFixed(1), EDGE + row * LINE]
      const long = (words.length * CELL).toFixed(1)
      const colour = style.colour === undefined ? (style.dim ? dim : text) : colours[style.colour]
      const box = `<rect x="${x}" y="${y}" width="${long}" height="${LINE}" fill="${colour}"/>`
      const weight = style.bold ? ' font-weight="bold"' : ''
      const fill = style.inverse ? back : colour
      const shown = `<text x="${x}" y="${y + SIZE}" fill="${fill}"${weight} textLength="${long}">${escaped(words).replaceAll(' ', '\u00A0')}</text>`
      return style.inverse ? [box, shown] : [shown]
    })
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${SIZE}">`,
    `<title>${escaped(lines.map(textOf).join('\n'))}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${back}"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}
