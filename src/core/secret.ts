import { inspect } from 'node:util'

const MASK = '****'

/** Texts of all secrets of this process, and how they stand in an address. */
const known = new Set<string>()
/** Characters; what is shorter could be any word. */
const LEAST = 8

/**
 * A value that must not be seen. Printing, joining, logging or serialising it gives `****`;
 * only `reveal()`, called at the last moment, gives the text.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
    if (text.length >= LEAST) known.add(text).add(encodeURIComponent(text))
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}

/**
 * The text with every secret of this process masked, for what is kept. Other people's errors may hold
 * what we never put there.
 */
export function withoutSecrets(text: string): string {
  return [...known].reduce((rest, secret) => rest.replaceAll(secret, MASK), text)
}
