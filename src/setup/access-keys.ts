import { Problem } from '../core/problem.ts'
import { prose, type Text, toType } from '../core/to-type.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import {
  keyState,
  lostKeys,
  mintFresh,
  nameInState,
  retiringKeys,
  unlikeWish,
} from './minted-keys.ts'

type Needs = 'cloudflare' | 'connectS3' | 'minting' | 'clock' | 'facts'
type At = Pick<World, Needs>

/**
 * The S3 key of Mastodon: an API token that can read and write the objects of this one bucket. A
 * key that works is kept; a key that nobody can know any more is removed.
 */
export const accessKeys: Step<Needs> = {
  id: 'access-keys',
  title: 'Access key',
  // Whether one that is known opens the bucket can change with the bucket.
  standsAlone: ({ facts, minting }) => !facts.accessKey && minting.knownKey === undefined,

  async look(at): Promise<Finding> {
    const { facts, minting } = at
    if (facts.accessKey?.minted) return ready(at, 'made')
    const [works, lost, old] = await Promise.all([
      knownKeyWorks(at),
      lostKeys(at),
      retiringKeys(at),
    ])
    const warnings = old.map(({ name }) => stillThere(name))
    const removal = lost.map(({ name }) => ({
      what: `remove the unused key "${name}", left by a broken run`,
      risk: 'safe' as const,
    }))
    if (!works) {
      const who = minting.owner.kind === 'account' ? 'the account' : 'you'
      const until = minting.keyExpiresOn === undefined ? '' : `, until ${minting.keyExpiresOn}`
      const from = minting.allowIps.length === 0 ? '' : `, from ${minting.allowIps.join(', ')}`
      const what = `make a key for the bucket ${minting.at.bucket} alone, owned by ${who}${until}${from}`
      return { is: 'change', changes: [...removal, { what, risk: 'safe' }], warnings }
    }
    const problem = await keptUnlikeWish(at)
    if (problem) return { is: 'blocked', problem }
    if (removal.length > 0) return { is: 'change', changes: removal, warnings }
    return { ...ready(at, 'the one in the env file works, and is kept'), warnings }
  },

  async change(at) {
    const { cloudflare, minting } = at
    for (const key of await lostKeys(at)) await cloudflare.revokeKey(minting.owner, key.id)
    if (await knownKeyWorks(at)) return {}
    const expiry = minting.keyExpiresOn === undefined ? {} : { expiresOn: minting.keyExpiresOn }
    const key = await mintFresh(at, { at: minting.at, allowIps: minting.allowIps, ...expiry })
    return {
      accessKey: {
        accessKeyId: key.id,
        secretAccessKey: key.secretAccessKey,
        minted: true,
        made: key.made,
      },
    }
  },

  async undo({ cloudflare, minting, facts }) {
    // A block for printing is only printed when all went well.
    const isKept = facts.envWritten?.file !== undefined
    if (!facts.accessKey?.minted || isKept) return undefined
    await cloudflare.revokeKey(minting.owner, facts.accessKey.accessKeyId)
    return 'the new key was removed again, as it is not in use'
  },
}

/** A key that is kept can't be given another life, other addresses or another owner. */
async function keptUnlikeWish({ cloudflare, minting }: At): Promise<Problem | undefined> {
  const { knownKey, owner, allowIps, keyExpiresOn, isOwnerWished } = minting
  const isWish = isOwnerWished || allowIps.length > 0 || keyExpiresOn !== undefined
  if (!isWish || !knownKey) return undefined
  const kept = await cloudflare.findKey(owner, knownKey.accessKeyId)
  const rotation = toType('rotate', {
    ...(allowIps.length > 0 && { allowIp: allowIps }),
    ...(keyExpiresOn !== undefined && { expires: keyExpiresOn }),
  })
  const next = prose`Leave that out here. To have such a key, replace this one: ${rotation}`
  return unlikeWish(kept, minting, next)
}

/**
 * Gives a key that is in use its lasting name. Until then the next run of a broken setup would
 * take it for a lost one.
 */
export const keyInUse: Step<Needs> = {
  id: 'key-in-use',
  title: 'Key name',

  async look({ cloudflare, facts, minting }): Promise<Finding> {
    const { accessKey, envWritten, keyNamed } = facts
    const will = 'mark the key as in use'
    if (keyNamed !== undefined) return { is: 'ready', note: keyNamed }
    if (!accessKey) return { is: 'waiting', on: 'accessKey', will }
    // A new key waits for its file; of one that was there the name is known without it.
    if (accessKey.minted && !envWritten) return { is: 'waiting', on: 'envWritten', will }
    const key = accessKey.made ?? (await cloudflare.findKey(minting.owner, accessKey.accessKeyId))
    if (!key && accessKey.minted) return notMarked()
    const isNamed = !['pending', 'retiring'].includes(keyState(key?.name ?? '') ?? '')
    if (!key || isNamed) {
      return { is: 'ready', note: key?.name ?? 'the key belongs to somebody else' }
    }
    if (!envWritten) return { is: 'waiting', on: 'envWritten', will }
    return { is: 'change', changes: [{ what: will, risk: 'safe' }], seen: { key } }
  },

  async change(at, { key } = {}) {
    const { cloudflare, minting } = at
    if (!key) return {}
    const keyNamed = nameInState(at, key.name, 'inUse')
    await cloudflare.renameKey(minting.owner, key, keyNamed)
    return { keyNamed }
  },
}

function stillThere(name: string): Text {
  return prose`The old key of a rotation is still active ("${name}"). To finish it: ${toType('rotate')}`
}

function ready({ minting, facts }: At, note: string): Extract<Finding, { is: 'ready' }> {
  const known = minting.knownKey
  const accessKey = facts.accessKey ?? (known && { ...known, minted: false })
  if (!accessKey) return { is: 'ready', note }
  return { is: 'ready', note, facts: { accessKey } }
}

async function knownKeyWorks({ connectS3, minting }: At): Promise<boolean> {
  if (!minting.knownKey) return false
  try {
    await connectS3(minting.knownKey).headBucket()
    return true
  } catch (error) {
    if (error instanceof Problem && /^s3-(401|403|404)$/.test(error.code)) return false
    throw error
  }
}

/** It works all the same, and the next run marks it. */
function notMarked(): Finding {
  const warning =
    'Cloudflare did not show the new key, so its name does not say yet that it is in use. Run init once more later.'
  return { is: 'ready', note: 'the new key can not be seen yet', warnings: [warning] }
}
