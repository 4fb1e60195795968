import type { Finding, Step, World } from '../plan/step.ts'
import type { KeyOwner, MintedKey } from '../services/cloudflare/port.ts'
import { keyPrefix } from '../setup/minted-keys.ts'
import { stays, textAfter, type Undo } from '../setup/undoing.ts'

type Needs = 'cloudflare' | 'setup' | 'facts'
type At = Pick<World, Needs>

interface OwnKey extends MintedKey {
  readonly owner: KeyOwner
}

/** Keys that this tool made for the bucket and the media host; never one that an env file holds. */
export function undoAccessKeys(undo: Undo): Step<Needs> {
  return {
    id: 'access-keys',
    title: 'Access key',

    async look(at): Promise<Finding> {
      const [keys, held, now] = await Promise.all([ownKeys(at), heldAfter(undo), heldNow(undo)])
      const warnings = unseen(at, keys, now)
      const kept = keys.filter(({ id }) => held.has(id))
      const going = keys.filter(({ id }) => !held.has(id))
      if (going.length === 0 && kept.length > 0) {
        return { ...stays('an env file goes on using it'), warnings }
      }
      if (going.length === 0) return { is: 'ready', note: 'none of this tool', warnings }
      if (undo.inUse && !undo.wishes.evenIfInUse) {
        return { ...stays('Mastodon uses it now', 'evenIfInUse'), warnings }
      }
      const changes = going.map(({ name }) => ({
        what: `remove the key "${name}"`,
        risk: undo.inUse ? ('destructive' as const) : ('safe' as const),
        goes: true as const,
      }))
      return { is: 'change', changes, warnings }
    },

    async change(at) {
      const [keys, held] = await Promise.all([ownKeys(at), heldNow(undo)])
      for (const { owner, id } of keys) {
        if (!held.has(id)) await at.cloudflare.revokeKey(owner, id)
      }
      return {}
    },
  }
}

export async function ownKeys({ cloudflare, setup }: Pick<At, 'cloudflare' | 'setup'>) {
  const owners = await ownersOf({ cloudflare, setup })
  const lists = await Promise.all(
    owners.map(async (owner): Promise<OwnKey[]> => {
      const keys = await cloudflare.listKeys(owner, 'mastodon-r2')
      return keys.map((key) => ({ ...key, owner }))
    }),
  )
  const token = await setup.token()
  const own = (['pending', 'inUse', 'retiring'] as const).map((state) => keyPrefix(setup, state))
  return lists
    .flat()
    .filter(({ id, name }) => id !== token.id && own.some((stem) => name.startsWith(stem)))
}

/** A user's token may see both its account's keys and those that the user owns. */
async function ownersOf({ cloudflare, setup }: Pick<At, 'cloudflare' | 'setup'>) {
  const { accountId } = setup.at
  const account: KeyOwner = { kind: 'account', accountId }
  if ((await setup.token()).kind === 'account') return [account]
  const [ofAccount, ofUser] = await Promise.all([
    cloudflare.can('account-tokens', { accountId }),
    cloudflare.can('user-tokens', { accountId }),
  ])
  const owners: KeyOwner[] = []
  if (ofAccount) owners.push(account)
  if (ofUser) owners.push({ kind: 'user' })
  return owners
}

async function heldAfter(undo: Undo): Promise<Set<string>> {
  return idsIn((await undo.traces()).map(textAfter))
}

async function heldNow(undo: Undo): Promise<Set<string>> {
  return idsIn((await undo.traces()).map(({ file }) => file.text))
}

function idsIn(texts: readonly string[]): Set<string> {
  return new Set(texts.flatMap((text) => text.match(/\b[0-9a-f]{32}\b/g) ?? []))
}

function unseen({ setup }: At, keys: readonly MintedKey[], held: ReadonlySet<string>): string[] {
  const known = setup.knownKey?.accessKeyId
  if (known === undefined || !held.has(known) || keys.some(({ id }) => id === known)) return []
  return [
    'The key in the env file was not made by this tool, or this API token may not see it. It stays: if nothing else needs it, delete it at https://dash.cloudflare.com/?to=/:account/r2/api-tokens.',
  ]
}
