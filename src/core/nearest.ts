import { closest, distance } from 'fastest-levenshtein'

/** The known word that was probably meant; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const starts = known.filter((name) => word.length >= 3 && name.startsWith(word))
  if (starts.length === 1) return starts[0]
  const guess = closest(word, known)
  return distance(word, guess) <= Math.max(2, Math.floor(guess.length / 3)) ? guess : undefined
}

/** Whether a word that was not understood may be repeated: it might be a secret in the wrong place. */
export function isShowable(word: string): boolean {
  return /^[a-z][a-z0-9_-]{0,23}$/i.test(word) && (word.match(/\d/g)?.length ?? 0) < 4
}
