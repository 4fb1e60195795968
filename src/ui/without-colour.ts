// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
const COLOUR = /\u001B\[[\d;]*m/g

/** The same terminal with colours left out; moving the cursor still works. */
export function withoutColour(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'write') {
        return (chunk: unknown, ...rest: never[]) =>
          target.write(
            typeof chunk === 'string' ? chunk.replace(COLOUR, '') : (chunk as never),
            ...rest,
          )
      }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
