import { Problem } from '../../core/problem.ts'
import type { Finding, Step } from '../../plan/step.ts'
import { noted } from '../../services/checkpoint/noted.ts'
import type { Migration } from '../migration.ts'

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
        await noted(checkpoint, { switchedAt: at.toISOString() })
      } catch (error) {
        // A proven switch is not taken back because it could not be noted.
        if (!(error instanceof Problem)) throw error
        say(`Mastodon is switched; that could not be noted: ${error.what}`)
      }
      return { switched: { at } }
    },
  }
}
