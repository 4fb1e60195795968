import type { Check, Verdict } from '../../plan/verdict.ts'
import type { MintedKey } from '../../services/cloudflare/port.ts'
import { type KeyState, keyState } from '../../setup/key-names.ts'
import { type KeyAt, nothingIfForbidden, owners } from './key-in-use.ts'

const ADVICE: Record<KeyState, readonly [which: string, next: string]> = {
  pending: ['left by a setup that did not finish', 'npx mastodon-r2 init'],
  retiring: ['on its way out since a rotation', 'npx mastodon-r2 rotate (it finishes)'],
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
        owners(at.setup).map((owner) =>
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
