import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A screen of tmux that tells when it changes: to ask it again and again costs a process each time. */
export interface WatchedScreen {
  /** Resolves with the first screen, from now on, of which it is so; undefined when none came. */
  first(isSo: (screen: string) => boolean, limitMs: number): Promise<string | undefined>
  close(): void
}

const CAPTURE = 'capture-pane -p -S -\n'

/**
 * A client in tmux's control mode: what it is asked it answers between `%begin` and `%end`, and every
 * other line says that something happened. `words` and `env`: how tmux is called for this server.
 */
export function watchScreen(words: readonly string[], env: NodeJS.ProcessEnv): WatchedScreen {
  const child = spawn('tmux', [...words, '-C', 'attach-session', '-f', 'ignore-size'], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.on('error', () => undefined)
  const gone = once(child, 'close')
  let answer: string[] | undefined
  let [isAsked, isStale] = [false, true]
  let shown: ((screen: string) => void) | undefined

  /** One question is under way at most; what changes meanwhile is seen by the next. */
  const ask = () => {
    if (shown === undefined || isAsked || !isStale || !child.stdin.writable) return
    ;[isAsked, isStale] = [true, false]
    child.stdin.write(CAPTURE)
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    // The answers to our own questions end with flag 1.
    if (/^%begin \d+ \d+ 1$/.test(line)) answer = []
    else if (answer && /^%(end|error) \d+ \d+ 1$/.test(line)) {
      const screen = `${answer.join('\n')}\n`
      answer = undefined
      isAsked = false
      shown?.(screen)
      ask()
    } else if (answer) answer.push(line)
    else {
      isStale = true
      ask()
    }
  })
  return {
    async first(isSo, limitMs) {
      let limit: NodeJS.Timeout | undefined
      const found = new Promise<string | undefined>((resolve) => {
        limit = setTimeout(() => resolve(undefined), limitMs)
        void gone.then(() => resolve(undefined))
        shown = (screen) => {
          if (isSo(screen)) resolve(screen)
        }
      })
      isStale = true
      ask()
      try {
        return await found
      } finally {
        clearTimeout(limit)
        shown = undefined
      }
    },
    close: () => void child.kill(),
  }
}
