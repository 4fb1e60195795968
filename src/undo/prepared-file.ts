import { Problem } from '../core/problem.ts'
import type { Finding, Step } from '../plan/step.ts'
import type { EnvTrace, Undo } from '../setup/undoing.ts'

/** The block that `init` prepared beside the env file while other storage is in use. */
export function undoPreparedFile(undo: Undo): Step<'envWriter'> {
  return {
    id: 'prepared-file',
    title: 'Prepared settings',

    async look(): Promise<Finding> {
      const trace = await aside(undo)
      if (!isLeft(trace)) return { is: 'ready', note: 'none of this setup beside the env file' }
      const { file, restoration } = trace
      if (!file.writable) return { is: 'blocked', problem: notWritable(file.path) }
      const what =
        restoration.is === 'remove'
          ? `put ${file.path} aside; init made it`
          : `take the storage lines out of ${file.path}`
      return { is: 'change', changes: [{ what, risk: 'safe' }] }
    },

    async change({ envWriter }) {
      const trace = await aside(undo)
      if (trace?.restoration.is === 'remove') await undo.removeFile(trace.file)
      if (trace?.restoration.is === 'write') {
        await envWriter.write(trace.file, trace.restoration.text)
      }
      return {}
    },
  }
}

async function aside(undo: Undo): Promise<EnvTrace | undefined> {
  return (await undo.traces()).find(({ role }) => role === 'aside')
}

function isLeft(trace: EnvTrace | undefined): trace is EnvTrace {
  return trace?.restoration.is === 'remove' || trace?.restoration.is === 'write'
}

function notWritable(path: string): Problem {
  return new Problem({
    code: 'env-file-not-writable',
    what: `${path} can't be written by you.`,
    why: 'It holds a key that is to be removed. Nothing was changed.',
    next: 'Run the same command with sudo.',
    exit: 2,
  })
}
