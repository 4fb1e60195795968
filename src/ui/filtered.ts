/** The same terminal, with every text changed on its way; moving the cursor still works. */
export function filtered(
  stream: NodeJS.WriteStream,
  change: (text: string) => string,
): NodeJS.WriteStream {
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'write') {
        return (chunk: unknown, ...rest: never[]) =>
          target.write(typeof chunk === 'string' ? change(chunk) : (chunk as never), ...rest)
      }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
