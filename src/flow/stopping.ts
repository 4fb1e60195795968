import type { Host } from '../host.ts'
import type { Ui } from '../ui/port.ts'

/** Milliseconds after a signal within which a run ends, or says what it waits for. */
const SILENT_MS = 2_000

interface Held {
  readonly what: string
  timer?: NodeJS.Timeout
}

/** What has to come to its end before a run may stop. */
export interface Stopping {
  /** From now on, until the returned function is called, a signal waits for this. */
  hold(what: string): () => void
  close(): void
}

/**
 * Says what a stopped run waits for: after two seconds, and at each further signal. One that comes
 * while nothing is held ends the process at once.
 */
export function watchStops(
  host: Pick<Host, 'interrupted' | 'onInsisting' | 'leaveNow' | 'pid'>,
  ui: Pick<Ui, 'warn'>,
): Stopping {
  const { interrupted, pid } = host
  const held = new Set<Held>()
  const say = (what: string, more = '') =>
    ui.warn(`Stopping as soon as this has ended; cut off, it would be half done: ${what}.${more}`)
  const sayLater = (one: Held) => {
    one.timer = setTimeout(() => say(one.what), SILENT_MS)
  }
  const onAbort = () => held.forEach(sayLater)
  interrupted.addEventListener('abort', onAbort)
  host.onInsisting(() => {
    if (held.size === 0) return host.leaveNow()
    const all = [...held].map(({ what }) => what).join(', ')
    say(all, ` (To end it all the same: kill -9 ${pid}; then run the same command again.)`)
  })
  return {
    hold(what) {
      const one: Held = { what }
      held.add(one)
      if (interrupted.aborted) sayLater(one)
      return () => {
        held.delete(one)
        clearTimeout(one.timer)
      }
    },
    close() {
      interrupted.removeEventListener('abort', onAbort)
      host.onInsisting(undefined)
    },
  }
}
