import { ANNOUNCED_DAYS, safeFrom } from '../../announce/notes.ts'
import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import type { Announced, Check, CheckWorld, Verdict } from '../../plan/verdict.ts'
import { type Installation, isAtLeast } from '../../services/mastodon/port.ts'
import { instanceHost, mediaHost, pagePolicy, workerPolicy } from './pages.ts'
import { runningSettings, serviceSettings } from './running.ts'

/** From when a media host that was announced can come into use. */
export const announcement: Check<'announced' | 'clock'> = {
  id: 'announcement',
  about: 'Mastodon',
  title: 'Announcement',
  cost: 'look',
  async look({ announced, clock }) {
    const found = (await announced?.()) ?? []
    if (found.length === 0) return [{ severity: 'ok', saw: 'no other media host is announced' }]
    return found.map((one) => judge(one, clock.now()))
  },
}

function judge({ mediaHost, at, switchWith }: Announced, now: Date): Verdict {
  const safe = safeFrom(at)
  const day = safe.toISOString().slice(0, 10)
  const isSafe = now >= safe
  return {
    severity: 'note',
    saw: `${mediaHost} is announced since ${at.slice(0, 10)}; a switch is safe from ${day}${isSafe ? ': now' : ''}.`,
    matters: `Browsers keep the old Content-Security-Policy of Mastodon up to ${ANNOUNCED_DAYS} days, and refuse media from a host that is not in it.`,
    next: isSafe ? switchWith : prose`On ${day} or later: ${switchWith}`,
  }
}

type Needs = 'installation' | 'storage' | 'connectS3' | 'web'
type At = Pick<CheckWorld, Needs>

/** Prefixes of the instance's own files, which other servers remember the address of. */
const OWN = ['accounts/avatars/', 'media_attachments/files/']

/** Other servers keep links to `/system/…`; they break unless redirected (mastodon#11915). */
const oldLinks: Check<Needs> = {
  id: 'old-links',
  about: 'Mastodon',
  title: 'Links from before R2',
  cost: 'look',
  async look(at) {
    const [own, media] = [instanceHost(at), mediaHost(at)]
    if (own === undefined || media === undefined) {
      return [{ severity: 'skipped', saw: 'the instance or the media host is not known' }]
    }
    if (at.installation.media.files === 0 && at.installation.media.readable) {
      return [{ severity: 'ok', saw: 'no media was found on this machine' }]
    }
    try {
      const key = await knownKey(at)
      if (key === undefined) return [{ severity: 'skipped', saw: 'no file to try it with' }]
      return [await follow(at, `https://${own}/system/${key}`, `https://${media}/${key}`)]
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return [{ severity: 'skipped', saw: `not seen: ${error.what}` }]
    }
  },
}

async function knownKey({ storage, connectS3 }: At): Promise<string | undefined> {
  if (!storage.isR2 || storage.key === undefined || storage.bucket === undefined) return undefined
  const s3 = connectS3(storage.key)
  for (const prefix of OWN) {
    const [key] = await s3.list(prefix, 1)
    if (key !== undefined) return key
  }
  return undefined
}

async function follow({ web }: At, url: string, wanted: string): Promise<Verdict> {
  const response = await web.fetch(url, { method: 'HEAD' })
  if (response.header('location')[0] === wanted) {
    return { severity: 'ok', saw: '/system/… leads to the media host' }
  }
  if (response.status === 200) return { severity: 'ok', saw: '/system/… is still served here' }
  return {
    severity: 'note',
    saw: `${url} answers with status ${response.status}, and does not lead to the media host.`,
    matters: 'Other servers remember such addresses of older media, and show broken images.',
    next: prose`Once the old media is in the bucket, lead /system/ to ${new URL(wanted).origin}/:\n  ${toType('redirects')}`,
  }
}

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
const version: Check<'installation'> = {
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

/** In their place in a rehearsal, which is about a copy of its settings. */
export const noMastodon: Check = {
  id: 'mastodon',
  about: 'Mastodon',
  title: 'Version, processes and pages',
  cost: 'look',
  look: async () => [{ severity: 'skipped', saw: 'Mastodon itself is no part of a rehearsal' }],
}

/** What the running Mastodon tells: its version, its processes, its pages. */
export const mastodonChecks: readonly Check[] = [
  version,
  runningSettings,
  serviceSettings,
  pagePolicy,
  workerPolicy,
  oldLinks,
  announcement,
]
