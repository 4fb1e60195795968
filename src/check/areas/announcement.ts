import { ANNOUNCED_DAYS, safeFrom } from '../../migrate/stages.ts'
import type { Announced, Check, Verdict } from '../../plan/verdict.ts'

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
    next: isSafe ? switchWith : `On ${day} or later: ${switchWith}`,
  }
}
