import { filtered } from './filtered.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
const COLOUR = /\u001B\[[\d;]*m/g

/** The same terminal with colours left out. */
export function withoutColour(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return filtered(stream, (text) => text.replace(COLOUR, ''))
}
