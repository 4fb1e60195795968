const BARE_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * A word as a POSIX shell reads it back (sh(1), "Single-Quotes": nothing in them has a meaning), in
 * quotes only where it has to be. The one quoter of every line that is shown or written to a script.
 */
export function shellWord(word: string): string {
  return BARE_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Words as one line of a POSIX shell. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}
