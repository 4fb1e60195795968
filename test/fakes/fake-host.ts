import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Host } from '../../src/host.ts'

interface Circumstances {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Told everything that is written. */
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** What stands on standard input. */
  readonly input?: string
}

const root = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const { version, homepage } = JSON.parse(readFileSync(root('package.json'), 'utf8'))

/** A process whose streams are pipes, and which nobody interrupts. */
export function fakeHost(circumstances: Circumstances): Host {
  const { argv, cwd, input = '', stdout, stderr } = circumstances
  const environment = { ...circumstances.environment }
  const interrupt = new AbortController()
  setMaxListeners(0, interrupt.signal)
  return {
    argv,
    environment,
    cwd,
    version,
    homepage,
    nodeVersion: process.versions.node,
    execPath: process.execPath,
    script: root('dist/cli.js'),
    program: ['npx', 'mastodon-r2'],
    pid: process.pid,
    userId: process.getuid?.(),
    stdin: Readable.from([input]) as NodeJS.ReadStream,
    stdout: teller(stdout),
    stderr: teller(stderr),
    hasPerson: false,
    interrupted: interrupt.signal,
    readStdin: async () => input,
    leave: () => undefined,
    hushKeyboard: () => undefined,
    forgetTyped: async () => undefined,
    keepSignals: () => undefined,
    onInsisting: () => undefined,
    leaveNow: () => {
      throw new Error('Nobody leaves this process.')
    },
    keepEnvironment(keep) {
      for (const name of Object.keys(environment)) if (!keep(name)) delete environment[name]
    },
    parent: undefined,
    become: () => {
      throw new Error('This process stays what it is.')
    },
  }
}

function teller(told: (text: string) => void): NodeJS.WriteStream {
  const stream = new Writable({
    write(chunk, _, done) {
      told(String(chunk))
      done()
    },
  })
  return stream as NodeJS.WriteStream
}
