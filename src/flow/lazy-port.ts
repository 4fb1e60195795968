/** The same answer to everyone who asks; asked for with the first. */
export function once<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined
  return () => (answer ??= ask())
}

/**
 * A port that is connected, and its SDK loaded, with the first call of a method. Every method has to
 * give a promise; what is anything else stands in `own`.
 */
export function lazyPort<Port extends object>(
  connected: () => Promise<Port>,
  own: Partial<Port> = {},
): Port {
  return new Proxy({} as Port, {
    get: (_, name) => {
      // Looked for by whoever awaits the port itself.
      if (name === 'then') return undefined
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      return async (...args: unknown[]) => {
        const port = await connected()
        const method = Reflect.get(port, name) as (...given: unknown[]) => unknown
        return method.apply(port, args)
      }
    },
  })
}
