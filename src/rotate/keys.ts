import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import { type Finding, learned, type Rotation, type Step, type World } from '../plan/step.ts'
import type { BucketRef, KeyWish, MintedKey } from '../services/cloudflare/port.ts'
import type { EnvFileOnDisk } from '../services/mastodon/port.ts'
import {
  keyState,
  lostKeys,
  mintFresh,
  nameInState,
  retiringKeys,
  unlikeWish,
} from '../setup/minted-keys.ts'

/**
 * `envKey` is the key in the env file, undefined when the token does not see it; `retiring` are the
 * old keys of this bucket and host that are not in any env file.
 */
export function judgeRotation(
  envKey: MintedKey | undefined,
  retiring: readonly MintedKey[],
  bucket: BucketRef,
): Rotation {
  const state = envKey && keyState(envKey.name)
  const switched = state === 'pending' || (state !== 'retiring' && retiring.length > 0)
  if (switched) return { kind: 'finish', envKey, old: retiring, stays: undefined }
  const stays = reasonToStay(envKey, bucket)
  const own = envKey && stays === undefined ? [envKey] : []
  return { kind: 'begin', envKey, old: [...own, ...retiring], stays }
}

/** A key that opens more than this bucket may be used by others, so it is not ours to remove. */
function reasonToStay(key: MintedKey | undefined, at: BucketRef): string | undefined {
  if (key === undefined) return 'this API token does not see it'
  if (keyState(key.name) !== undefined && key.limits === undefined) return undefined
  const only = key.limits?.only
  const isThis =
    only?.bucket === at.bucket &&
    only.accountId === at.accountId &&
    only.jurisdiction === at.jurisdiction
  return isThis ? undefined : 'it opens more than this bucket, so others may use it'
}

/** What there is to rotate: the names of the keys tell how far an earlier run came. */
export const oldKey: Step<'cloudflare' | 'minting' | 'facts'> = {
  id: 'old-key',
  title: 'Old key',

  async look(at): Promise<Finding> {
    const { cloudflare, minting, facts } = at
    if (facts.rotation) return ready(facts.rotation)
    if (!minting.knownKey)
      return { is: 'blocked', problem: nothingToRotate(minting.installation.envFile) }
    const [envKey, retiring] = await Promise.all([
      cloudflare.findKey(minting.owner, minting.knownKey.accessKeyId),
      retiringKeys(at),
    ])
    return ready(judgeRotation(envKey, retiring, minting.at))
  },
}

function ready(rotation: Rotation): Finding {
  const { kind, envKey, old, stays } = rotation
  const facts = { rotation }
  if (kind === 'finish') {
    const names = old.map(({ name }) => `"${name}"`).join(', ')
    const left = names === '' ? '' : `; ${names} has still to go`
    return { is: 'ready', note: `an earlier rotation is finished now${left}`, facts }
  }
  if (stays === undefined) return { is: 'ready', note: `"${envKey?.name}"`, facts }
  const warning = `The old key will stay active: ${stays}. What to do about it is said at the end.`
  const note = `${envKey === undefined ? 'in the env file' : `"${envKey.name}"`}; it stays (${stays})`
  return { is: 'ready', note, facts, warnings: [warning] }
}

export function nothingToRotate({ path }: Pick<EnvFileOnDisk, 'path'>): Problem {
  return new Problem({
    code: 'nothing-to-rotate',
    what: `${path} holds no complete setup on R2, so there is no key to replace.`,
    why: 'Needed are S3_ENDPOINT (of R2), S3_BUCKET, S3_ALIAS_HOST, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    next: prose`Name the right file with --mastodon-env, or set this server up first: ${toType('init')}`,
    exit: 2,
  })
}

const will = 'mark it as the old one'

/**
 * Marks the old key before the env file forgets it: from then on any run knows that it has to go,
 * and until the file is written, that it has to stay.
 */
export const oldKeyName: Step<'cloudflare' | 'minting' | 'clock' | 'facts'> = {
  id: 'old-key-name',
  title: 'Name of the old key',

  async look({ facts }): Promise<Finding> {
    const { rotation, keyProven, oldKeyNamed } = facts
    if (!rotation) return { is: 'waiting', on: 'rotation', will }
    const known = { oldKeyNamed: true as const }
    if (rotation.kind === 'finish') return { is: 'ready', note: 'known', facts: known }
    if (!keyProven) return { is: 'waiting', on: 'keyProven', will }
    if (oldKeyNamed) return { is: 'ready', note: 'marked as the old one', facts: known }
    if (rotation.stays !== undefined) return { is: 'ready', note: 'left alone', facts: known }
    return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
  },

  async change({ cloudflare, minting, clock, facts }) {
    const key = facts.rotation?.envKey
    if (key && keyState(key.name) !== 'retiring') {
      const name = nameInState({ minting, clock }, key.name, 'retiring')
      await cloudflare.renameKey(minting.owner, key, name)
    }
    return { oldKeyNamed: true }
  },

  /** Also when it is not certain that the name was given: an answer may have got lost. */
  async undo({ cloudflare, minting, clock, facts }) {
    const { rotation, keyProven, envWritten } = facts
    const before = rotation?.envKey
    if (!before || rotation.kind !== 'begin' || rotation.stays !== undefined) return undefined
    if (!keyProven || envWritten) return undefined
    const key = await cloudflare.findKey(minting.owner, before.id)
    if (!key || keyState(key.name) !== 'retiring') return undefined
    const isOurs = keyState(before.name) === 'retiring'
    const name = isOurs ? nameInState({ minting, clock }, key.name, 'inUse') : before.name
    await cloudflare.renameKey(minting.owner, key, name)
    return 'the old key has its name again, and stays in use'
  },
}

type Needs = 'cloudflare' | 'connectS3' | 'minting' | 'clock' | 'facts'
type At = Pick<World, Needs>

/** The key that takes over: same bucket, same addresses, and as long a life as the old one had. */
export const newKey: Step<Needs> = {
  id: 'new-key',
  title: 'New key',

  async look(at): Promise<Finding> {
    const { facts, minting } = at
    const { rotation, accessKey } = facts
    if (!rotation) return { is: 'waiting', on: 'rotation', will: 'make a new key' }
    if (rotation.kind === 'finish') {
      const next = prose`Finish this rotation first: ${toType('rotate')}`
      const problem = unlikeWish(rotation.envKey, minting, next)
      return problem ? { is: 'blocked', problem } : inPlace(at)
    }
    if (accessKey) return { is: 'ready', note: 'made', facts: { accessKey } }
    const wish = wishFor(at, rotation)
    const lost = (await lostKeys(at)).map(({ name }) => `remove the unused key "${name}"`)
    const from = wish.allowIps.length === 0 ? '' : `, from ${wish.allowIps.join(', ')}`
    const but = wish.refuseIps?.length ? `, not from ${wish.refuseIps.join(', ')}` : ''
    const until = wish.expiresOn === undefined ? '' : `, until ${wish.expiresOn}`
    const make = `make a key for the bucket ${minting.at.bucket} alone${from}${but}${until}`
    return { is: 'change', changes: [...lost, make].map((what) => ({ what, risk: 'safe' })) }
  },

  async change(at) {
    const { cloudflare, minting, facts } = at
    for (const key of await lostKeys(at)) await cloudflare.revokeKey(minting.owner, key.id)
    const key = await mintFresh(at, wishFor(at, learned(facts, 'rotation')))
    return {
      accessKey: { accessKeyId: key.id, secretAccessKey: key.secretAccessKey, minted: true },
    }
  },

  async undo({ cloudflare, minting, facts }) {
    if (facts.rotation?.kind !== 'begin' || !facts.accessKey || facts.envWritten) return undefined
    await cloudflare.revokeKey(minting.owner, facts.accessKey.accessKeyId)
    return 'the new key was removed again, as it is not in use'
  },
}

/** `minted`: nothing has proven it for certain, so that it is tried as a new one is. */
async function inPlace({ connectS3, minting }: At): Promise<Finding> {
  const { knownKey } = minting
  if (!knownKey) throw new Error('A rotation without a key in the env file.')
  try {
    await connectS3(knownKey).headBucket()
  } catch (error) {
    if (error instanceof Problem && /^s3-(401|403|404)$/.test(error.code)) throw broken(error)
    throw error
  }
  const facts = { accessKey: { ...knownKey, minted: true } }
  return { is: 'ready', note: 'the one in the env file', facts }
}

function wishFor({ minting, clock }: At, { envKey }: Rotation): Omit<KeyWish, 'name'> {
  const limits = envKey?.limits
  const given = minting.allowIps.length > 0
  const refuseIps = given ? [] : (limits?.refuseIps ?? [])
  const expiresOn = minting.keyExpiresOn ?? (envKey && expiryAfter(envKey, clock.now()))
  return {
    at: minting.at,
    allowIps: given ? minting.allowIps : (limits?.allowIps ?? []),
    ...(refuseIps.length > 0 ? { refuseIps } : {}),
    ...(expiresOn === undefined ? {} : { expiresOn }),
  }
}

/** A key made for 90 days is followed by one for 90 days; RFC 3339 without milliseconds. */
function expiryAfter({ issuedOn, expiresOn }: MintedKey, now: Date): string | undefined {
  if (expiresOn === undefined) return undefined
  const life = Date.parse(expiresOn) - Date.parse(issuedOn ?? '')
  const end = life > 0 ? now.getTime() + life : Date.parse(expiresOn)
  if (!(end > now.getTime())) throw noExpiry(expiresOn)
  return new Date(end).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

function noExpiry(expiresOn: string): Problem {
  return new Problem({
    code: 'rotate-expiry-unknown',
    what: `The old key ended on ${expiresOn}, and it is not known how long it was meant to live.`,
    why: 'The new key gets the life of the old one unless told.',
    next: 'Say when the new key should end: --expires DATE',
    exit: 2,
  })
}

function broken(cause: Problem): Problem {
  return new Problem(
    {
      code: 'rotate-new-key-broken',
      what: 'The key in the env file does not open the bucket, so the old key stays.',
      why: `A rotation had put it there, and since then it was removed or limited. ${cause.what}`,
      next: prose`Put a working key there first: ${toType('init')}`,
    },
    { cause },
  )
}
