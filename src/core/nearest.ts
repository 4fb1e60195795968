import { closest, distance } from 'fastest-levenshtein'

/** The known word that was probably meant; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const starts = known.filter((name) => word.length >= 3 && name.startsWith(word))
  if (starts.length === 1) return starts[0]
  const guess = closest(word, known)
  return distance(word, guess) <= Math.max(2, Math.floor(guess.length / 3)) ? guess : undefined
}
