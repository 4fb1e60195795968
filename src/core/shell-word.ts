const BARE_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/

/** Line ends, and what a terminal would obey or hide. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/**
 * A word as a POSIX shell reads it back (sh(1), "Single-Quotes": nothing in them has a meaning), in
 * quotes only where it has to be, and always on one line. The one quoter of every line that is shown
 * or written to a script.
 */
export function shellWord(word: string): string {
  if (BARE_WORD.test(word)) return word
  // A substitution would lose line ends at its end.
  if (word.search(UNSEEN) !== -1 && !word.endsWith('\n')) return printed(word)
  return quotedWord(word)
}

function quotedWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

/** What can't be seen, as octal numbers of its bytes: printf(1) of every shell knows them. */
function printed(word: string): string {
  const format = word
    .replace(/[\\%]/g, (sign) => (sign === '%' ? '%%' : '\\\\'))
    .replace(/^-/, '\\055')
    .replace(UNSEEN, (sign) =>
      [...Buffer.from(sign)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
    )
  return `"$(printf ${quotedWord(format)})"`
}

/** Words as one line of a POSIX shell. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}

/** The line that puts what lies at a path aside: its name there bears the moment, so nothing has it yet. */
export function asideLine(path: string, now = new Date()): string {
  return `mv ${shellLine([path, `${path}.old-${now.toISOString().replaceAll(/[-:.]/g, '')}`])}`
}
