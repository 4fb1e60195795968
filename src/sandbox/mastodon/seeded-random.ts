/** The same numbers for the same seed, on every machine. */
export interface SeededRandom {
  /** From 0 up to, not including, `end`; whole. */
  below(end: number): number
  /** Each with 4 bits. */
  hex(digits: number): string
  pick<T>(from: readonly [T, ...T[]]): T
  bytes(length: number): Buffer
}

/** A xorshift generator (G. Marsaglia, 2003); good enough for test data, never for secrets. */
export function seededRandom(seed: number): SeededRandom {
  // A state of zero would stay zero; neighbouring seeds must not give alike numbers.
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  for (let warm = 0; warm < 8; warm++) next()
  const below = (end: number) => next() % end
  return {
    below,
    hex(digits) {
      let text = ''
      while (text.length < digits) text += next().toString(16).padStart(8, '0')
      return text.slice(0, digits)
    },
    pick: ([first, ...rest]) => {
      const at = below(rest.length + 1)
      return at === 0 ? first : (rest[at - 1] ?? first)
    },
    bytes(length) {
      const bytes = Buffer.allocUnsafe(Math.ceil(length / 4) * 4)
      for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(next(), at)
      return bytes.subarray(0, length)
    },
  }
}
