import { storageNames } from '../flow/mastodon-here.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { readStatements } from '../services/mastodon/env-text.ts'
import { envFileNotWritable } from '../services/mastodon/port.ts'
import { leftBehind } from '../setup/env-file.ts'
import { EXTRA_HOSTS } from '../setup/media-hosts.ts'
import { type EnvTrace, stays, type Undo } from '../setup/undoing.ts'

type Needs = 'envWriter' | 'setup' | 'facts'

/** Mastodon's env file, as it was before `init`: from the backup, or without the storage lines. */
export function undoEnvFile(undo: Undo): Step<Needs> {
  return {
    id: 'env-file',
    title: 'Env file',

    async look(at): Promise<Finding> {
      const trace = await mainTrace(undo)
      const { file, restoration } = trace
      if (at.facts.envWritten) return { is: 'ready', note: `${file.path} is put back` }
      if (restoration.is === 'clean') {
        return {
          is: 'ready',
          note: `no settings of the bucket ${at.setup.at.bucket} in ${file.path}`,
        }
      }
      if (restoration.is === 'foreign') {
        return stays(`nothing tells that this tool wrote the storage settings in ${file.path}`)
      }
      if (!file.writable)
        return {
          is: 'blocked',
          problem: envFileNotWritable(file.path, {
            needed: 'While the file names the key and the bucket, they have to stay.',
          }),
        }
      const risk = undo.inUse ? 'public' : 'safe'
      const left = restoration.is === 'write' ? leftBehind(file) : []
      const warnings = [...warningsOf(trace, at.setup, undo), ...left]
      return { is: 'change', changes: [{ what: whatOf(trace), risk }], warnings }
    },

    async change({ envWriter }) {
      const { file, restoration } = await mainTrace(undo)
      if (restoration.is !== 'write' && restoration.is !== 'remove') return {}
      const text = restoration.is === 'write' ? restoration.text : ''
      const { backup } =
        restoration.is === 'write' ? await envWriter.write(file, text) : await undo.removeFile(file)
      const diff = envWriter.diff(file.text, text)
      const changed = [...storageNames, EXTRA_HOSTS].filter((name) =>
        diff.some((line) => line.includes(`${name}=`)),
      )
      return { envWritten: { file: file.path, backup, changed, diff } }
    },
  }
}

async function mainTrace(undo: Undo): Promise<EnvTrace> {
  const trace = (await undo.traces()).find(({ role }) => role === 'main')
  if (!trace) throw new Error('There is always an env file to look at.')
  return trace
}

function whatOf({ file, restoration }: EnvTrace): string {
  if (restoration.is === 'remove') return `put ${file.path} aside; init made it`
  if (restoration.is !== 'write') return ''
  const { how, backup } = restoration
  if (how === 'whole') return `put ${file.path} back as it was (${backup})`
  if (how === 'lines') {
    return `put the storage lines of ${file.path} back (from ${backup}); your other changes stay`
  }
  return `take the storage lines out of ${file.path}; there is no backup of the time before`
}

function warningsOf({ restoration }: EnvTrace, setup: World['setup'], undo: Undo): string[] {
  if (!undo.inUse) return []
  const back = restoration.is === 'write' && isSwitchedOn(restoration.text)
  const place = back ? 'to the storage of before' : 'to the disk of this server'
  return [
    `Mastodon stores its media in the bucket ${setup.at.bucket} NOW. After this and a restart, new uploads go ${place}, and what is in the bucket is no longer shown: pictures of all posts since the switch are missing until you copy them back. Nothing in the bucket is deleted.`,
  ]
}

/** Of two assignments the last holds. */
function isSwitchedOn(text: string): boolean {
  const last = readStatements(text).findLast(({ active, key }) => active && key === 'S3_ENABLED')
  return last?.value === 'true'
}

/** The block that `init` prepared beside the env file while other storage is in use. */
export function undoPreparedFile(undo: Undo): Step<'envWriter'> {
  return {
    id: 'prepared-file',
    title: 'Prepared settings',

    async look(): Promise<Finding> {
      const trace = await asideTrace(undo)
      if (!isLeft(trace)) return { is: 'ready', note: 'none of this setup beside the env file' }
      const { file, restoration } = trace
      if (!file.writable)
        return {
          is: 'blocked',
          problem: envFileNotWritable(file.path, {
            needed: 'It holds a key that is to be removed.',
          }),
        }
      const what =
        restoration.is === 'remove'
          ? `put ${file.path} aside; init made it`
          : `take the storage lines out of ${file.path}`
      return { is: 'change', changes: [{ what, risk: 'safe', goes: true }] }
    },

    async change({ envWriter }) {
      const trace = await asideTrace(undo)
      if (trace?.restoration.is === 'remove') await undo.removeFile(trace.file)
      if (trace?.restoration.is === 'write') {
        await envWriter.write(trace.file, trace.restoration.text)
      }
      return {}
    },
  }
}

async function asideTrace(undo: Undo): Promise<EnvTrace | undefined> {
  return (await undo.traces()).find(({ role }) => role === 'aside')
}

function isLeft(trace: EnvTrace | undefined): trace is EnvTrace {
  return trace?.restoration.is === 'remove' || trace?.restoration.is === 'write'
}
