import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import type { KeyWish, MintedKey } from '../services/cloudflare/port.ts'
import { lostKeys, mintFresh } from '../setup/fresh-key.ts'
import type { Rotation } from './rotation.ts'

type Needs = 'cloudflare' | 'connectS3' | 'setup' | 'clock' | 'facts'
type At = Pick<World, Needs>

/** The key that takes over: same bucket, same addresses, and as long a life as the old one had. */
export const newKey: Step<Needs> = {
  id: 'new-key',
  title: 'New key',

  async look(at): Promise<Finding> {
    const { facts, setup } = at
    const { rotation, accessKey } = facts
    if (!rotation) return { is: 'waiting', on: 'rotation', will: 'make a new key' }
    if (rotation.kind === 'finish') return inPlace(at)
    if (accessKey) return { is: 'ready', note: 'made', facts: { accessKey } }
    const wish = wishFor(at, rotation)
    const lost = (await lostKeys(at)).map(({ name }) => `remove the unused key "${name}"`)
    const from = wish.allowIps.length === 0 ? '' : `, from ${wish.allowIps.join(', ')}`
    const but = wish.refuseIps?.length ? `, not from ${wish.refuseIps.join(', ')}` : ''
    const until = wish.expiresOn === undefined ? '' : `, until ${wish.expiresOn}`
    const make = `make a key for the bucket ${setup.at.bucket} alone${from}${but}${until}`
    return { is: 'change', changes: [...lost, make].map((what) => ({ what, risk: 'safe' })) }
  },

  async change(at) {
    const { cloudflare, setup, facts } = at
    for (const key of await lostKeys(at)) await cloudflare.revokeKey(setup.owner, key.id)
    const key = await mintFresh(at, wishFor(at, facts.rotation as Rotation))
    return {
      accessKey: { accessKeyId: key.id, secretAccessKey: key.secretAccessKey, minted: true },
    }
  },

  async undo({ cloudflare, setup, facts }) {
    if (facts.rotation?.kind !== 'begin' || !facts.accessKey || facts.envWritten) return undefined
    await cloudflare.revokeKey(setup.owner, facts.accessKey.accessKeyId)
    return 'the new key was removed again, as it is not in use'
  },
}

/** `minted`: nothing has proven it for certain, so that it is tried as a new one is. */
async function inPlace({ connectS3, setup }: At): Promise<Finding> {
  const { knownKey } = setup
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

function wishFor({ setup, clock }: At, { envKey }: Rotation): Omit<KeyWish, 'name'> {
  const limits = envKey?.limits
  const given = setup.allowIps.length > 0
  const refuseIps = given ? [] : (limits?.refuseIps ?? [])
  const expiresOn = setup.keyExpiresOn ?? (envKey && expiryAfter(envKey, clock.now()))
  return {
    at: setup.at,
    allowIps: given ? setup.allowIps : (limits?.allowIps ?? []),
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
      next: 'Put a working key there first: npx mastodon-r2 init',
    },
    { cause },
  )
}
