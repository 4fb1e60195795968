import { fork } from 'node:child_process'
import { codeOf, Problem, type ProblemDetails } from '../../core/problem.ts'
import { asRoot, prose } from '../../core/to-type.ts'
import { childEnvironment } from './environment.ts'
import type { WorkerParent } from './port.ts'

type Methods = Readonly<Record<string, (...args: never[]) => unknown>>

interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

interface Told {
  readonly message: string
  readonly code: string
  readonly problem: ProblemDetails | undefined
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly told: Told }

/** A second process of this program, which does what this one must not do with its own rights. */
export interface Worker {
  /** Throws what the method threw: a Problem, or an error with the system's `code`. */
  call(method: string, ...args: readonly unknown[]): Promise<unknown>
  /** What an async iterable over there gives; the next piece is prepared while one is worked on. */
  pieces(method: string, ...args: readonly unknown[]): AsyncGenerator<unknown>
  close(): void
}

export interface WorkerOptions {
  /** Node's program, and the program's own file. */
  readonly node: string
  readonly script: string
  readonly args: readonly string[]
  /** Entered with this process's rights. */
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Starts it. It ends when it is closed, and with this process, however that ends. */
export function startWorker({ node, script, args, environment, cwd }: WorkerOptions): Worker {
  // Where program and Node are one file, that has no script to name.
  const [first = '', ...rest] = script === node ? args : [script, ...args]
  const child = fork(first, rest, {
    execPath: node,
    execArgv: [],
    cwd,
    env: childEnvironment({ program: 'node', args: [], env: {} }, environment),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const open = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let last = 0
  let ended = false
  child.on('message', (answer: Answer) => {
    const waiting = open.get(answer.id)
    open.delete(answer.id)
    if ('told' in answer) waiting?.reject(rebuilt(answer.told))
    else waiting?.resolve(answer.value)
  })
  const fail = () => {
    ended = true
    for (const { reject } of open.values()) reject(workerEnded())
    open.clear()
  }
  child.on('error', fail)
  child.on('exit', fail)
  child.on('disconnect', fail)
  const call = (method: string, ...args: readonly unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      if (ended) return reject(workerEnded())
      last += 1
      open.set(last, { resolve, reject })
      const sent: Call = { id: last, method, args }
      child.send(sent as never, (error) => error && fail())
    })
  return {
    call,
    async *pieces(method, ...args) {
      const handle = await call('open', method, args)
      const next = () => {
        const piece = call('next', handle)
        piece.catch(() => undefined)
        return piece
      }
      let piece = next()
      try {
        for (let value = await piece; value !== undefined; value = await piece) {
          piece = next()
          yield value
        }
      } finally {
        await call('close', handle).catch(() => undefined)
      }
    },
    close() {
      ended = true
      if (child.connected) child.disconnect()
    },
  }
}

/** Answers until the other process is gone. Of methods that give an async iterable, piece by piece. */
export function serveWorker(parent: WorkerParent, methods: Methods): void {
  const iterators = new Map<number, AsyncIterator<unknown>>()
  let last = 0
  const own: Record<string, (...args: never[]) => unknown> = {
    open(method: string, args: never[]) {
      const found = methods[method]?.(...args) as AsyncIterable<unknown>
      last += 1
      iterators.set(last, found[Symbol.asyncIterator]())
      return last
    },
    async next(handle: number) {
      const { done, value } = (await iterators.get(handle)?.next()) ?? { done: true, value: 0 }
      if (done !== true) return value
      iterators.delete(handle)
      return undefined
    },
    async close(handle: number) {
      const iterator = iterators.get(handle)
      iterators.delete(handle)
      await iterator?.return?.()
    },
  }
  parent.onMessage(async (message) => {
    const { id, method, args } = message as Call
    try {
      const found = own[method] ?? methods[method]
      parent.send({ id, value: await found?.(...(args as never[])) } satisfies Answer)
    } catch (error) {
      parent.send({ id, told: told(error) } satisfies Answer)
    }
  })
}

function told(error: unknown): Told {
  const { message } = error as Error
  if (!(error instanceof Problem)) return { message, code: codeOf(error), problem: undefined }
  const { code, what, why, next, exit } = error
  return { message, code, problem: { code, what, why, next, exit } }
}

function rebuilt({ message, code, problem }: Told): Error {
  return problem ? new Problem(problem) : Object.assign(new Error(message), { code })
}

function workerEnded(): Problem {
  return new Problem({
    code: 'media-reader-ended',
    what: 'The process that reads the media folder as its owner has ended.',
    why: prose`Somebody or the system ended it; the latter when memory runs short (see: ${asRoot('dmesg | tail')}).`,
    next: 'Run the same command again; it goes on from here.',
  })
}
