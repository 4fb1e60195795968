import type { Finding, Step, World } from '../plan/step.ts'
import { Problem } from '../problem.ts'
import type { MintedKey } from '../services/cloudflare/port.ts'

type Needs = 'cloudflare' | 'connectS3' | 'setup' | 'clock' | 'facts'
type At = Pick<World, Needs>

/** A key carries this until the env file holds it, so that one left by a broken run is known. */
const PENDING = 'mastodon-r2-setup'
const IN_USE = 'mastodon-r2'

/**
 * The S3 key of Mastodon: an API token that can read and write the objects of this one bucket. A
 * key that works is kept; a key that nobody can know any more is removed.
 */
export const accessKeys: Step<Needs> = {
  id: 'access-keys',
  title: 'Access key',

  async look(at): Promise<Finding> {
    const { facts, setup } = at
    if (facts.accessKey?.minted) return ready(at, 'made')
    const [works, lost] = await Promise.all([knownKeyWorks(at), lostKeys(at)])
    const removal = lost.map(({ name }) => ({
      what: `remove the unused key "${name}", left by a broken run`,
      risk: 'safe' as const,
    }))
    if (!works) {
      const who = setup.owner.kind === 'account' ? 'the account' : 'you'
      const until = setup.keyExpiresOn === undefined ? '' : `, until ${setup.keyExpiresOn}`
      const from = setup.allowIps.length === 0 ? '' : `, from ${setup.allowIps.join(', ')}`
      const what = `make a key for the bucket ${setup.at.bucket} alone, owned by ${who}${until}${from}`
      return { is: 'change', changes: [...removal, { what, risk: 'safe' }] }
    }
    if (removal.length > 0) return { is: 'change', changes: removal }
    return ready(at, 'the one in the env file works, and is kept')
  },

  async change(at) {
    const { cloudflare, setup } = at
    for (const key of await lostKeys(at)) await cloudflare.revokeKey(setup.owner, key.id)
    if (await knownKeyWorks(at)) return {}
    const name = keyName(at, PENDING)
    const expiry = setup.keyExpiresOn === undefined ? {} : { expiresOn: setup.keyExpiresOn }
    const wish = { name, at: setup.at, allowIps: setup.allowIps, ...expiry }
    const key = await mintOnce(at, wish)
    return {
      accessKey: { accessKeyId: key.id, secretAccessKey: key.secretAccessKey, minted: true },
    }
  },

  async undo({ cloudflare, setup, facts }) {
    // A block for printing is only printed when all went well.
    const isKept = facts.envWritten?.file !== undefined
    if (!facts.accessKey?.minted || isKept) return undefined
    await cloudflare.revokeKey(setup.owner, facts.accessKey.accessKeyId)
    return 'the new key was removed again, as it is not in use'
  },
}

/**
 * Gives a key that is in use its lasting name. Until then the next run of a broken setup would
 * take it for a lost one.
 */
export const keyInUse: Step<Needs> = {
  id: 'key-in-use',
  title: 'Key name',

  async look(at) {
    const { facts, setup } = at
    if (!facts.envWritten) {
      return { is: 'waiting', on: 'envWritten', will: 'mark the key as in use' }
    }
    const id = facts.accessKey?.accessKeyId
    const key = id === undefined ? undefined : await at.cloudflare.findKey(setup.owner, id)
    if (!key?.name.startsWith(`${PENDING} `)) {
      return { is: 'ready', note: key?.name ?? 'the key belongs to somebody else' }
    }
    return { is: 'change', changes: [{ what: 'mark the key as in use', risk: 'safe' }] }
  },

  async change(at) {
    const id = at.facts.accessKey?.accessKeyId
    const key = id === undefined ? undefined : await at.cloudflare.findKey(at.setup.owner, id)
    if (key) await at.cloudflare.renameKey(at.setup.owner, key, lastingName(key.name))
    return {}
  },
}

function ready({ setup, facts }: At, note: string): Finding {
  const known = setup.knownKey
  const accessKey = facts.accessKey ?? (known && { ...known, minted: false })
  if (!accessKey) return { is: 'ready', note }
  return { is: 'ready', note, facts: { accessKey } }
}

async function knownKeyWorks({ connectS3, setup }: At): Promise<boolean> {
  if (!setup.knownKey) return false
  try {
    await connectS3(setup.knownKey).headBucket()
    return true
  } catch (error) {
    if (error instanceof Problem && /^s3-(401|403|404)$/.test(error.code)) return false
    throw error
  }
}

/** Keys of this bucket and host whose making was never finished; never one that is in use. */
async function lostKeys({ cloudflare, setup, facts }: At): Promise<MintedKey[]> {
  const inUse = new Set([setup.knownKey?.accessKeyId, facts.accessKey?.accessKeyId])
  const target = setup.target.kind === 'file' ? [setup.target.file] : []
  for (const file of [...setup.installation.envFiles, ...target]) {
    for (const [id] of file.text.matchAll(/\b[0-9a-f]{32}\b/g)) inUse.add(id)
  }
  const keys = await cloudflare.listKeys(setup.owner, `${nameStem(setup, PENDING)} `)
  return keys.filter(({ id }) => !inUse.has(id))
}

/** An answer that got lost may have left a key whose value nobody saw: find it by name, remove it. */
async function mintOnce(at: At, wish: Parameters<World['cloudflare']['mintKey']>[1]) {
  const { cloudflare, setup } = at
  try {
    return await cloudflare.mintKey(setup.owner, wish)
  } catch (error) {
    if (!(error instanceof Problem) || !isLost(error)) throw error
    for (const key of await cloudflare.listKeys(setup.owner, wish.name)) {
      await cloudflare.revokeKey(setup.owner, key.id)
    }
    return await cloudflare.mintKey(setup.owner, { ...wish, name: keyName(at, PENDING) })
  }
}

function isLost({ code }: Problem): boolean {
  return code === 'cloudflare-answer-lost'
}

/** At most 120 characters; the host is cut first, never the unique end. */
function keyName({ setup, clock }: Pick<World, 'setup' | 'clock'>, state: string): string {
  const day = clock.now().toISOString().slice(0, 10)
  return `${nameStem(setup, state)} ${day} ${clock.randomHex(6)}`
}

function nameStem({ at, mediaHost }: World['setup'], state: string): string {
  const room = 120 - `${PENDING} ${at.bucket}  2026-01-01 abcdef`.length
  return `${state} ${at.bucket} ${mediaHost.slice(0, Math.max(room, 0))}`
}

function lastingName(pending: string): string {
  return `${IN_USE}${pending.slice(PENDING.length)}`
}
