import { Problem } from '../../core/problem.ts'
import type { CutoverVariant, Rest } from '../../moving/quiet.ts'
import type { Finding, Step } from '../../plan/step.ts'
import { noted } from '../../services/checkpoint/port.ts'
import type { EnvFileOnDisk } from '../../services/mastodon/port.ts'
import type { BringBackPort } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'

export const variantWords: Record<CutoverVariant, string> = {
  quiet:
    'Sidekiq finishes its jobs and rests, web goes on; what is uploaded meanwhile is copied after the switch',
  'no-downtime':
    'nothing rests; requests still wait while Rails boots (12 to 33 s were seen), and what is stored during the switch is copied after it',
  stop: 'web and Sidekiq are stopped during the last copy; the instance is away for some minutes',
}

/** What the steps of the switch know besides the world and the migration. */
export interface Cutover extends Rest {
  /** Mastodon's env file as it is on disk at this moment. */
  readEnvFile(): Promise<EnvFileOnDisk>
  /** Where media goes back to when the switch is taken back; undefined when it was not on this disk. */
  readonly bringBack: BringBackPort | undefined
  /** Files that may still be missing when Mastodon is switched. */
  readonly maxLoss: number
}

/**
 * The order in which nothing is lost. Up to `switched` every step can be taken back; what Mastodon
 * stores between the last copy and its restart is copied by `copy-after`.
 */
export const cutoverOrder = [
  'ready-to-switch',
  'copy-catch-up',
  'quiet',
  'copy-last',
  'env-switch',
  'restart',
  'fresh-processes',
  'upload-probe',
  'public-read',
  'switched',
  'copy-after',
  'compare',
] as const

/** Once uploads and public reads work with the new settings, nothing goes back any more. */
export function switched({
  checkpoint,
  say,
}: Pick<Migration, 'checkpoint' | 'say'>): Step<'facts' | 'clock'> {
  return {
    id: 'switched',
    title: 'Switched',

    async look({ facts }): Promise<Finding> {
      const will = 'keep the switch: up to here a failure puts everything back'
      if (facts.switched) return { is: 'ready', note: 'Mastodon stores its media on R2' }
      if (!facts.envWritten?.file) return { is: 'waiting', on: 'envWritten', will }
      if (!facts.publicProven) return { is: 'waiting', on: 'publicProven', will }
      return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
    },

    async change({ facts, clock }) {
      const known = await checkpoint.read().catch(() => undefined)
      // A run that finds the file switched already goes on with an earlier one.
      const isNew = (facts.envWritten?.changed.length ?? 0) > 0
      const at = isNew || !known?.switchedAt ? clock.now() : new Date(known.switchedAt)
      try {
        const runsSince = clock.now().toISOString()
        await noted(checkpoint, { switchedAt: at.toISOString(), runsSince })
      } catch (error) {
        // A proven switch is not taken back because it could not be noted.
        if (!(error instanceof Problem)) throw error
        say(`Mastodon is switched; that could not be noted: ${error.what}`)
      }
      return { switched: { at } }
    },
  }
}
