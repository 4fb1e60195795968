import { inspect } from 'node:util'

const MASK = '****'

/**
 * A value that must not be seen. Printing, joining, logging or serialising it gives `****`;
 * only `reveal()`, called at the last moment, gives the text.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
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
