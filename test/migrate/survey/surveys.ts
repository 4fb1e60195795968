import type { Selection } from '../../../src/migrate/migration.ts'
import { MediaCount } from '../../../src/migrate/survey/count.ts'
import type { MediaSurvey } from '../../../src/plan/report-schema.ts'
import type { MediaFile } from '../../../src/services/media/port.ts'
import { mediaFile } from '../../fakes/media-file.ts'

const all: Selection = { onlyLocal: false, skip: [], withPrivate: false, withSuspended: false }
const STARTED = new Date(Date.UTC(2026, 10, 22, 10))
const MB = 1_000_000

/** What a server of some years has: one file of each kind, as often as told, each so large. */
const kinds: readonly (readonly [string, number, number, number?])[] = [
  ['accounts/avatars/109/original/a%.png', 1200, 0.05 * MB],
  ['accounts/headers/109/original/a%.png', 900, 0.2 * MB],
  ['media_attachments/files/109/original/a%.jpg', 4000, 1.5 * MB],
  ['media_attachments/files/110/original/a%.jpg', 4, 1.5 * MB, 0o600],
  ['media_attachments/files/111/original/a%.mp4', 2, 300 * MB],
  ['custom_emojis/images/000/original/a%.png', 300, 0.02 * MB],
  ['site_uploads/files/000/original/a%.png', 3, 0.4 * MB],
  ['cache/accounts/avatars/109/original/a%.png', 9000, 0.05 * MB],
  ['cache/media_attachments/files/109/original/a%.jpg', 12_000, 0.6 * MB],
  ['cache/custom_emojis/images/109/original/a%.png', 5000, 0.02 * MB],
  ['cache/preview_cards/images/109/original/a%.png', 2500, 0.1 * MB],
  ['backups/dumps/000/original/a%.zip', 2, 800 * MB],
  ['old site/a%.png', 1, MB],
  ['line\nbreak%.png', 1, MB],
]

export function* server(): Generator<MediaFile> {
  for (const [pattern, count, size, mode] of kinds) {
    for (let at = 1; at <= count; at++) {
      const name = String(at).padStart(5, '0')
      yield mediaFile(pattern.replace('%', name), mode, size)
    }
  }
}

export interface CountingWishes extends Partial<Selection> {
  readonly files?: Iterable<MediaFile>
  readonly latencyMs?: number | null
  readonly odd?: readonly (readonly ['hidden' | 'unreadable' | 'dangling-link', string])[]
  readonly kind?: 'local' | 's3'
}

export function surveyOf({
  files = server(),
  latencyMs = null,
  odd = [],
  kind = 'local',
  ...selection
}: CountingWishes = {}): MediaSurvey {
  const counting = new MediaCount({
    source: { kind, name: '/home/mastodon/live/public/system' },
    selection: { ...all, ...selection },
    canCarry: (key) => !key.includes('\n'),
    startedAt: STARTED,
  })
  for (const file of files) counting.see(file)
  for (const [oddity, path] of odd) counting.seeOddity({ kind: oddity, path })
  return counting.survey({ objectsPerSecond: 400, bytesPerSecond: 12_500_000, latencyMs })
}
