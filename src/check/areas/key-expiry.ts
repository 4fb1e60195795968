import type { Check, Verdict } from '../../plan/verdict.ts'
import type { KeyAt, KeySeen } from './key-in-use.ts'

type Find = () => Promise<KeySeen | undefined>

const DAY_MS = 86_400_000
const SOON_DAYS = 30
const NEXT = 'npx mastodon-r2 rotate'

/** The key is active, and for how long yet. */
export function keyExpiryCheck(find: Find, { clock }: KeyAt): Check<never> {
  return {
    id: 'cloudflare-key-expiry',
    about: 'Cloudflare',
    title: 'Expiry of the key',
    cost: 'look',
    async look() {
      const seen = await find()
      if (!seen) return [{ severity: 'skipped', saw: "Mastodon's key can't be seen" }]
      const { status, expiresOn } = seen.key
      if (status !== 'active') return [ended(`The key is ${status}.`)]
      if (expiresOn === undefined) return [{ severity: 'ok', saw: 'active, without an end' }]
      return [judge(expiresOn, clock.now())]
    },
  }
}

function judge(expiresOn: string, now: Date): Verdict {
  const days = Math.floor((Date.parse(expiresOn) - now.getTime()) / DAY_MS)
  const day = expiresOn.slice(0, 10)
  if (days < 0) return ended(`The key expired on ${day}.`)
  if (days >= SOON_DAYS) return { severity: 'ok', saw: `active until ${day}` }
  return {
    severity: 'warning',
    saw: `The key ends on ${day}, in ${days === 1 ? '1 day' : `${days} days`}.`,
    matters: 'From then on every upload fails.',
    next: NEXT,
  }
}

function ended(saw: string): Verdict {
  return { severity: 'fault', saw, matters: 'R2 refuses it: every upload fails.', next: NEXT }
}
