import { Problem } from '../../core/problem.ts'
import { prose, type Text, toType } from '../../core/to-type.ts'
import type { World } from '../../plan/step.ts'
import type { Check, Verdict } from '../../plan/verdict.ts'
import type { KeyLimits, KeyOwner, MintedKey } from '../../services/cloudflare/port.ts'
import { isForbidden } from '../../services/cloudflare/refusal.ts'
import { type KeyState, keyState } from '../../setup/minted-keys.ts'

export type KeyAt = Pick<World, 'cloudflare' | 'setup' | 'clock'>

export interface KeySeen {
  readonly owner: KeyOwner
  readonly key: MintedKey
}

/** Mastodon's key as Cloudflare describes it: of the account, or of the user whose token this is. */
export async function findKeyInUse({ cloudflare, setup }: KeyAt): Promise<KeySeen | undefined> {
  const id = setup.knownKey?.accessKeyId
  if (id === undefined) return undefined
  for (const owner of await owners(setup)) {
    const key = await cloudflare.findKey(owner, id).catch(nothingIfForbidden)
    if (key) return { owner, key }
  }
  return undefined
}

/** Those whose keys the token may see. */
async function owners({ token, at }: KeyAt['setup']): Promise<KeyOwner[]> {
  const account: KeyOwner = { kind: 'account', accountId: at.accountId }
  return (await token()).kind === 'user' ? [account, { kind: 'user' }] : [account]
}

/** Other errors go up. */
export function nothingIfForbidden(error: unknown): undefined {
  if (error instanceof Problem && isForbidden(error)) return undefined
  throw error
}

const ADVICE: Record<KeyState, readonly [which: string, next: Text]> = {
  pending: ['left by a setup that did not finish', toType('init')],
  retiring: ['on its way out since a rotation', prose`${toType('rotate')} (it finishes)`],
  inUse: [
    'not in this env file',
    'If no other server uses it, delete it: https://dash.cloudflare.com/?to=/:account/api-tokens',
  ],
}

/** Keys that this tool made for the bucket, and that no env file of Mastodon holds. */
export function extraKeysCheck(at: KeyAt): Check<never> {
  return {
    id: 'cloudflare-extra-keys',
    about: 'Cloudflare',
    title: 'Unused keys',
    cost: 'look',
    async look() {
      const lists = await Promise.all(
        (await owners(at.setup)).map((owner) =>
          at.cloudflare.listKeys(owner, 'mastodon-r2').catch(nothingIfForbidden),
        ),
      )
      if (lists.every((list) => list === undefined)) {
        return [{ severity: 'skipped', saw: 'the API token may not list keys' }]
      }
      const known = idsInEnvFiles(at)
      const extra = lists.flatMap((list) => list ?? []).filter(({ id }) => !known.has(id))
      const found = extra.flatMap((key) => {
        const state = stateFor(key, at.setup.at.bucket)
        return state === undefined ? [] : [unused(key, state)]
      })
      return found.length > 0 ? found : [{ severity: 'ok', saw: 'none for this bucket' }]
    },
  }
}

function stateFor({ name }: MintedKey, bucket: string): KeyState | undefined {
  return name.split(' ')[1] === bucket ? keyState(name) : undefined
}

function idsInEnvFiles({ setup }: KeyAt): Set<string | undefined> {
  const ids = setup.installation.envFiles.flatMap(({ text }) =>
    [...text.matchAll(/\b[0-9a-f]{32}\b/g)].map(([id]) => id),
  )
  return new Set([...ids, setup.knownKey?.accessKeyId])
}

function unused({ name, status }: MintedKey, state: KeyState): Verdict {
  const [which, next] = ADVICE[state]
  const off = status === 'active' ? '' : ` (${status})`
  return {
    severity: state === 'retiring' ? 'note' : 'warning',
    saw: `The key "${name}"${off} is ${which}.`,
    matters: 'A key that nobody needs can still be stolen and used.',
    next,
  }
}

type Find = () => Promise<KeySeen | undefined>

const DAY_MS = 86_400_000
const SOON_DAYS = 30
const NEXT = toType('rotate')

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

const UNSEEN_RIGHTS: Verdict = {
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
      if (limits === undefined) return [UNSEEN_RIGHTS]
      return [scopeOfKey(limits, setup.at), ...addressLimits(limits)]
    },
  }
}

function scopeOfKey({ only }: KeyLimits, { bucket, jurisdiction }: KeyAt['setup']['at']): Verdict {
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

function addressLimits({ allowIps, refuseIps }: KeyLimits): Verdict[] {
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
