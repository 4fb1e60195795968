import type { Check, Verdict } from '../../plan/verdict.ts'
import type { Installation } from '../../services/mastodon/port.ts'
import { isAtLeast } from '../../services/mastodon/version-number.ts'

interface Gate {
  readonly before: string
  readonly severity: 'fault' | 'warning'
  /** Only where the setup needs what is missing. */
  readonly concerns?: (installation: Installation) => boolean
  readonly matters: string
}

/** Most pressing first; one that is passed is not told (mastodon#26394, #22487). */
const gates: readonly Gate[] = [
  {
    before: '4.1.2',
    severity: 'fault',
    matters:
      'With S3_PERMISSION empty, as R2 needs it, archives can not be made; and video and audio fail, as before 4.2.0 (R2 answers 501 to a request that Mastodon makes for them).',
  },
  {
    before: '4.2.0',
    severity: 'fault',
    matters:
      'Video and audio fail, and archives hold empty files: R2 answers 501 to a request that Mastodon makes for them (HEAD with a part number).',
  },
  {
    before: '4.4.0',
    severity: 'warning',
    concerns: ({ settings }) => (settings.get('EXTRA_MEDIA_HOSTS')?.value ?? '') !== '',
    matters:
      'EXTRA_MEDIA_HOSTS is set, and this version does not know it: browsers refuse media from the hosts named there.',
  },
]

const NEW_CHECKSUMS = '4.6.0'

/** What Mastodon's version means for R2. */
export const version: Check<'installation'> = {
  id: 'mastodon-version',
  about: 'Mastodon',
  title: 'Version',
  cost: 'look',
  async look({ installation }) {
    const { version: own } = installation
    if (own === undefined) return [{ severity: 'skipped', saw: 'Mastodon tells no version here' }]
    const gate = gates.find(
      ({ before, concerns }) => !isAtLeast(own, before) && (concerns?.(installation) ?? true),
    )
    return [gate === undefined ? fine(own) : tooOld(own, gate)]
  },
}

function fine(own: string): Verdict {
  const how = isAtLeast(own, NEW_CHECKSUMS) ? ' (sends CRC32 checksums, which R2 takes)' : ''
  return { severity: 'ok', saw: `${own}${how}` }
}

function tooOld(own: string, { before, severity, matters }: Gate): Verdict {
  return {
    severity,
    saw: `Mastodon ${own} is older than ${before}.`,
    matters,
    next: `Update Mastodon to ${before} or later: https://github.com/mastodon/mastodon/releases`,
  }
}
