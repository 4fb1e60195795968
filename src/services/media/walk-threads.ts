import { Worker } from 'node:worker_threads'
import { Cancelled } from '../../problem.ts'
import type { MediaFile } from './port.ts'
import type { TreeWalkOptions } from './tree-walk.ts'
import { unpackFiles, type WalkMessage, type WalkTask } from './walk-message.ts'

/** On one core too, as a walk often waits for the disk. One takes some 45 MB of memory, two 75. */
const THREADS = 1

/** Threads that take parts of a walk; the part with index 0 is left to whoever asks them. */
export interface WalkThreads {
  readonly count: number
  /** All have loaded; never true when one of them could not. */
  readonly ready: boolean
  /** What each has of the tree, in the order of its keys. Once, and only when ready. */
  files(
    task: Omit<WalkTask, 'share'> & { readonly of: number },
    options: {
      readonly onOddity: TreeWalkOptions['onOddity']
      readonly signal?: AbortSignal | undefined
    },
  ): AsyncGenerator<readonly MediaFile[]>[]
  end(): void
}

/** Undefined where the system gives no more threads. `script`: the bundle of walk-thread.ts. */
export function startWalkThreads(
  script = new URL('./walk-thread.js', import.meta.url),
  count = THREADS,
): WalkThreads | undefined {
  const threads: WalkThread[] = []
  const over = new AbortController()
  const end = () => {
    over.abort()
    for (const thread of threads) thread.end()
  }
  try {
    while (threads.length < count) threads.push(new WalkThread(script))
  } catch {
    end()
    return undefined
  }
  return {
    count,
    get ready() {
      return threads.every((thread) => thread.ready)
    },
    files({ of, ...task }, { onOddity, signal }) {
      const stop = () => {
        for (const thread of threads) thread.fail(new Cancelled())
      }
      signal?.addEventListener('abort', stop, { signal: over.signal })
      return threads.map((thread, nth) =>
        thread.files({ ...task, share: { index: nth + 1, of } }, onOddity),
      )
    },
    end,
  }
}

class WalkThread {
  readonly #worker: Worker
  readonly #told: WalkMessage[] = []
  #failure: unknown
  #wake: (() => void) | undefined
  ready = false

  constructor(script: URL) {
    // Nothing of this process is its business: not its secrets, not its flags.
    this.#worker = new Worker(script, { env: {}, execArgv: [], name: 'walk' })
    this.#worker.on('message', (message: WalkMessage) => {
      if (message.is === 'ready') this.ready = true
      else this.#told.push(message)
      this.#wake?.()
    })
    this.#worker.on('error', (error) => this.fail(error))
    this.#worker.on('exit', (code) => this.fail(new Error(`A walk ended with ${code}.`)))
  }

  async *files(
    task: WalkTask,
    onOddity: TreeWalkOptions['onOddity'],
  ): AsyncGenerator<readonly MediaFile[]> {
    this.#worker.postMessage(task)
    for (let more = true; more; ) {
      const found = await this.#next()
      this.#worker.postMessage('read')
      for (const oddity of found.oddities) onOddity(...oddity)
      const files = unpackFiles(found.files)
      if (files.length > 0) yield files
      more = found.more
    }
  }

  fail(error: unknown): void {
    this.ready = false
    this.#failure ??= error
    this.#wake?.()
  }

  end(): void {
    void this.#worker.terminate()
  }

  async #next(): Promise<Extract<WalkMessage, { is: 'found' }>> {
    for (;;) {
      if (this.#failure instanceof Cancelled) throw this.#failure
      const message = this.#told.shift()
      if (message?.is === 'found') return message
      if (message?.is === 'failed') throw Object.assign(message.error, { code: message.code })
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
