/** Work that is begun as it comes, a few at a time. */
export interface FewAtOnce {
  /** Resolves once the work has begun. Throws the first error of what was begun before. */
  begin(work: () => Promise<void>): Promise<void>
  /** Waits for the rest. Throws the first error. */
  end(): Promise<void>
}

export function fewAtOnce(limit: number): FewAtOnce {
  const running = new Set<Promise<void>>()
  let failed: { readonly error: unknown } | undefined
  const check = () => {
    if (failed) throw failed.error
  }
  return {
    async begin(work) {
      while (running.size >= limit) await Promise.race(running)
      check()
      const one: Promise<void> = work()
        .catch((error: unknown) => {
          failed ??= { error }
        })
        .finally(() => void running.delete(one))
      running.add(one)
    },
    async end() {
      await Promise.all(running)
      check()
    },
  }
}
