/**
 * Standard input for questions. When the terminal is gone, leaving raw mode fails (EIO), and readline
 * would end the process for it before anything could be tidied up.
 */
export function keyboard(stdin: NodeJS.ReadStream): NodeJS.ReadStream {
  return new Proxy(stdin, {
    get(target, name) {
      if (name === 'setRawMode') {
        return (on: boolean) => (target.readableEnded ? target : target.setRawMode(on))
      }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
