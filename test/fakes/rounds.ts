/** What is sent behind the answer to something else. */
interface Following {
  readonly after?: Promise<unknown>
}

/**
 * A network whose answers all come at the same time, once nobody asks for anything more: how often
 * that happens is how many round trips depend on each other, whatever the time.
 */
export class Rounds {
  count = 0
  #waiting: (() => void)[] = []

  /** The same port, each of whose calls takes a round; `more` names those that take several. */
  over<Port extends object>(port: Port, more: Readonly<Record<string, number>> = {}): Port {
    return new Proxy(port, {
      get: (_, name) => {
        const found: unknown = Reflect.get(port, name)
        if (typeof found !== 'function') return found
        if (found.constructor.name === 'AsyncGeneratorFunction') {
          return (...args: unknown[]) => this.#each(found.apply(port, args))
        }
        return async (...args: unknown[]) => {
          for (const arg of args) await (arg as Following | undefined)?.after
          for (let left = more[String(name)] ?? 1; left > 0; left -= 1) await this.#round()
          return found.apply(port, args)
        }
      },
    })
  }

  /** A list comes page by page. */
  async *#each(pages: AsyncIterable<unknown>): AsyncGenerator {
    await this.#round()
    yield* pages
  }

  #round(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length === 1) this.#answerWhenQuiet(0)
    })
  }

  /** Sleeping, as the fake clock does it, takes one turn of the loop; what follows asks in the next. */
  #answerWhenQuiet(turns: number): void {
    setImmediate(() => {
      if (turns < 20) return this.#answerWhenQuiet(turns + 1)
      const all = this.#waiting
      this.#waiting = []
      this.count += 1
      for (const answer of all) answer()
    })
  }
}
