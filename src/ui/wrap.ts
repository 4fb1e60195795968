/**
 * Breaks text at spaces so that no line is longer than `columns`, unless one word is. Lines that
 * start with two spaces are commands to copy: they stay whole.
 */
export function wrap(text: string, columns: number, indent = ''): string[] {
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('  ') ? [line] : fold(line, columns, indent)))
}

function fold(text: string, columns: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = indent + word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
