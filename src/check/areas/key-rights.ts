import { prose, toType } from '../../core/to-type.ts'
import type { Check, Verdict } from '../../plan/verdict.ts'
import type { KeyLimits } from '../../services/cloudflare/port.ts'
import type { KeyAt, KeySeen } from './keys.ts'

type Find = () => Promise<KeySeen | undefined>

const UNSEEN: Verdict = {
  severity: 'skipped',
  saw: "the API token can't see Mastodon's key (another user's, or a permission is missing)",
}

/** The key opens this bucket and nothing else; from where. */
export function keyRightsCheck(find: Find, { setup }: KeyAt): Check<never> {
  return {
    id: 'cloudflare-key-rights',
    about: 'Cloudflare',
    title: 'Rights of the key',
    cost: 'look',
    async look() {
      const limits = (await find())?.key.limits
      if (limits === undefined) return [UNSEEN]
      return [scope(limits, setup.at), ...addresses(limits)]
    },
  }
}

function scope({ only }: KeyLimits, { bucket, jurisdiction }: KeyAt['setup']['at']): Verdict {
  if (only?.bucket === bucket && only.jurisdiction === jurisdiction) {
    return { severity: 'ok', saw: `it opens the bucket ${bucket} alone` }
  }
  return {
    severity: 'warning',
    saw: only
      ? `The key is made for the bucket ${only.bucket} (jurisdiction ${only.jurisdiction}).`
      : 'The key opens more than this one bucket.',
    matters: 'Whoever gets hold of it reaches more than media; Mastodon needs one bucket only.',
    next: prose`${toType('rotate')} (it puts a key for this bucket alone in its place)`,
  }
}

function addresses({ allowIps, refuseIps }: KeyLimits): Verdict[] {
  if (allowIps.length + refuseIps.length === 0) return []
  const only = allowIps.length === 0 ? [] : [`only from ${allowIps.join(', ')}`]
  const never = refuseIps.length === 0 ? [] : [`never from ${refuseIps.join(', ')}`]
  return [
    {
      severity: 'note',
      saw: `The key works ${[...only, ...never].join(', and ')}.`,
      matters: 'When this server gets another address, uploads fail at that moment.',
      next: prose`Before such a move, make a key for the new address: ${toType('rotate')}`,
    },
  ]
}
