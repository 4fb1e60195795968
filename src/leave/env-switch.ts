import { Problem } from '../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../flow/mastodon-here.ts'
import type { Rest } from '../moving/quiet.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { editEnvFile } from '../services/mastodon/env-edit.ts'
import { type EnvFileOnDisk, envFileNotWritable } from '../services/mastodon/port.ts'
import { leftBehind, shadowed } from '../setup/env-file.ts'
import { unreachedBy } from '../setup/reach.ts'
import { linesOf, runPlaced } from '../setup/restart.ts'
import type { Leaving } from './leaving.ts'

/** What the steps of the switch know besides. */
export interface Switching extends Rest {
  /** Mastodon's env file as it is on disk at this moment. */
  readEnvFile(): Promise<EnvFileOnDisk>
}

type Needs = 'envWriter' | 'runner' | 'clock' | 'place' | 'facts'

const OFF = new Map([['S3_ENABLED', 'false']])

/**
 * One line alone: pages go on naming the media host, and what `init` prepared stays for a way back to
 * R2. Problems: `env-file-shadowed`; those of the editor are thrown.
 */
export function switchedOff(
  { place }: Pick<World, 'place'>,
  file: EnvFileOnDisk,
): string | Problem {
  const text = editEnvFile(file.text, { set: OFF })
  return shadowed(place.installation, file, OFF) ?? text
}

interface Written {
  readonly before: EnvFileOnDisk
  readonly text: string
  readonly since: Date
}

/** Mastodon's settings lead to its own disk, and back to R2 as long as the switch is not kept. */
export function envSwitch(leaving: Leaving, { services, readEnvFile }: Switching): Step<Needs> {
  let written: Written | undefined
  return {
    id: 'env-switch',
    title: 'Env file',

    async look(at): Promise<Finding> {
      const file = await readEnvFile()
      const text = switchedOff(at, file)
      if (text instanceof Problem) return { is: 'blocked', problem: text }
      if (text === file.text) {
        const unchanged = { file: file.path, backup: undefined, changed: [], diff: [] }
        const envWritten = at.facts.envWritten ?? unchanged
        return { is: 'ready', note: `${file.path} names the disk`, facts: { envWritten } }
      }
      if (!file.writable) {
        const needed = 'Mastodon can not be switched without it.'
        return { is: 'blocked', problem: envFileNotWritable(file.path, { needed }) }
      }
      const { installation } = at.place
      const unread = await unreachedBy(installation, at.envWriter, { file, text }, OFF)
      if (unread) return { is: 'blocked', problem: unread }
      const lines = at.envWriter
        .diff(file.text, text)
        .map((what) => ({ what, risk: 'safe' as const }))
      const what = `switch ${file.path} to the disk (a backup is kept)`
      return {
        is: 'change',
        changes: [{ what, risk: 'public' }, ...lines],
        warnings: leftBehind(file),
      }
    },

    async change(at) {
      const before = await readEnvFile()
      const text = switchedOff(at, before)
      if (text instanceof Problem) throw text
      const since = at.clock.now()
      const { backup } = await at.envWriter.write(before, text)
      written = { before, text, since }
      const diff = at.envWriter.diff(before.text, text)
      return { envWritten: { file: before.path, backup, changed: ['S3_ENABLED'], diff } }
    },

    async undo(at) {
      if (written === undefined || at.facts.switched) return undefined
      const { before, text, since } = written
      const now = await readEnvFile()
      if (!now.exists || now.text !== text) {
        return `${now.path} was changed by someone else meanwhile, so it was not put back. Look at it, then restart Mastodon.`
      }
      await at.envWriter.write(now, before.text)
      written = undefined
      const back = services.commands?.restart ?? []
      const stale = `${now.path} is as it was; Mastodon may still run with the disk until this was run: ${linesOf(back)}`
      await runPlaced(at.runner, back, stale)
      const sent = await sendSince(leaving, since)
      return `${now.path} is as it was before, and Mastodon runs with it (${linesOf(back)}). ${sent}`.trim()
    },
  }
}

/** What Mastodon stored on the disk while it was switched, and does not find any more now. */
async function sendSince({ disk, bucket, rclone, signal }: Leaving, since: Date): Promise<string> {
  // A second for clocks that tell no less.
  const first = since.getTime() - 1_000
  let sent = 0
  const left: string[] = []
  for await (const files of disk.files(signal.aborted ? {} : { signal })) {
    for (const { key, changedAt } of files) {
      if (changedAt < first || (await bucket().head(key)) !== undefined) continue
      try {
        const contentType = rclone.contentType(key)
        const body = await disk.read(key)
        await bucket().put(key, body, { contentType, cacheControl: MEDIA_CACHE_CONTROL })
        sent += 1
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        left.push(key)
      }
    }
  }
  const brought = sent === 0 ? '' : `${sent} files that came in meanwhile were sent to the bucket.`
  return left.length === 0 ? brought : `${brought} On the disk only: ${left.join(', ')}.`.trim()
}

/** Once all of Mastodon runs with the disk, nothing goes back any more. */
export const switched: Step<'facts' | 'clock'> = {
  id: 'switched',
  title: 'Switched',

  async look({ facts }): Promise<Finding> {
    const will = 'keep the switch: up to here a failure puts everything back'
    if (facts.switched) return { is: 'ready', note: 'Mastodon stores its media on the disk' }
    if (!facts.allFresh) return { is: 'waiting', on: 'allFresh', will }
    return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
  },

  async change({ clock }) {
    return { switched: { at: clock.now() } }
  },
}
