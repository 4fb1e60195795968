import { MEDIA_CACHE_CONTROL } from '../../flow/mastodon-here.ts'
import type { Comparison } from '../../plan/report-schema.ts'
import type { Facts } from '../../plan/step.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'
import {
  type MigrateRun,
  type Migration,
  type PreparedMigration,
  type PreparedStage,
  usualModes,
} from '../migration.ts'
import { compareMedia } from './compare.ts'
import { removeExtras } from './extras.ts'
import type { ExpectedHeaders } from './headers.ts'
import { comparisonLines } from './lines.ts'

/**
 * What the checkpoint holds after a comparison. Not equal: the next copy has to list the bucket again,
 * and copies what has another content, which no list shows.
 */
export function noteComparison(checkpoint: Checkpoint, comparison: Comparison): Checkpoint {
  if (comparison.equal) return { ...checkpoint, equalAt: comparison.at }
  const known = new Set(checkpoint.failed.map(({ key }) => key))
  const again = comparison.contentDiffers.examples.filter((key) => !known.has(key))
  const reason = 'another content in the bucket'
  const failed = [...checkpoint.failed, ...again.map((key) => ({ key, reason }))]
  // What changed since the last complete copy, to the same size, is found by this moment.
  const begunAt = checkpoint.begunAt ?? checkpoint.completeSince
  return { ...checkpoint, completeSince: undefined, begunAt, failed }
}

export async function compareStage(
  run: MigrateRun,
  prepared: PreparedMigration,
): Promise<PreparedStage> {
  const { step, found, done } = await comparing(run, prepared, {
    maxLoss: run.settings.need('maxLoss'),
  })
  const first = run.settings.on('removeExtras') ? [removeExtras(prepared.migration)] : []
  return { steps: [...first, step], found, done }
}

/** The comparison as a step, with what it found for the report and the screen. */
export async function comparing(
  { settings }: MigrateRun,
  { migration }: PreparedMigration,
  when: { readonly after?: keyof Facts; readonly maxLoss?: number } = {},
): Promise<Omit<PreparedStage, 'steps'> & { readonly step: ReturnType<typeof compareMedia> }> {
  const expected: ExpectedHeaders = (key) => ({
    contentType: migration.rclone.contentType(key),
    cacheControl: MEDIA_CACHE_CONTROL,
  })
  let last: Comparison | undefined
  const step = compareMedia(migration, {
    ...when,
    usualModes: await usualModes(migration.source, migration.signal),
    checksum: settings.on('checksum'),
    ...(when.after !== undefined || settings.on('headers') ? { expected } : {}),
    async compared(comparison) {
      last = comparison
      if (!settings.on('dryRun')) await note(migration, comparison)
    },
  })
  return {
    step,
    found: () =>
      last === undefined
        ? { report: {}, tables: [] }
        : {
            report: { comparison: last },
            tables: [{ title: 'Both sides', lines: comparisonLines(last, migration.width) }],
          },
    // Noted while it compares: what differs has to be known to the next copy.
    done: async () => undefined,
  }
}

/** Who has copied by hand has no checkpoint, and needs none. */
async function note({ checkpoint }: Migration, comparison: Comparison): Promise<void> {
  const known = await checkpoint.read()
  if (known) await checkpoint.write(noteComparison(known, comparison))
}
