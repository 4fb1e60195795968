import { DAY_MS } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { stateHome } from '../core/state-home.ts'
import type { Run } from '../flow/run.ts'
import type { CheckpointPort } from '../services/checkpoint/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { oldProvider } from '../setup/old-provider.ts'

/** The media host that is to be used, and where its objects are. */
export interface HostToCome {
  readonly mediaHost: string
  readonly endpoint: string
  readonly bucket: string
  readonly accountId: string | undefined
}

/**
 * Where the day of an announcement is noted: in the notes of the migration that the host is for, or
 * beside them when a server that is on R2 already gets another host.
 */
export async function announcementNotes(
  { host, ui }: Pick<Run<never>, 'host' | 'ui'>,
  installation: Installation,
  to: HostToCome,
  { switchedOn }: { readonly switchedOn: boolean },
): Promise<CheckpointPort> {
  const { openCheckpoint, checkpointId } = await import('../services/checkpoint/checkpoint.ts')
  const from = switchedOn ? `announcement of ${to.mediaHost}` : sourceName(installation, to)
  return openCheckpoint({
    stateHome: stateHome(host.environment),
    id: checkpointId(from, to.endpoint, to.bucket),
    notice: (line) => ui.warn(line),
  })
}

/** As `migrate` will name the place that the media comes from. */
function sourceName({ settings, media }: Installation, to: HostToCome): string {
  try {
    return oldProvider(settings, { to }).name
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return media.root ?? ''
  }
}

/** Service workers keep the old Content-Security-Policy up to a week (mastodon#27446). */
export const ANNOUNCED_DAYS = 7

/** The day from which nobody's browser refuses the new media host any more. */
export function safeFrom(announcedAt: string): Date {
  return new Date(Date.parse(announcedAt) + ANNOUNCED_DAYS * DAY_MS)
}
