import type { Verdict } from '../../plan/verdict.ts'
import { settingCheck } from './setting-check.ts'
import type { StorageSettings } from './storage-settings.ts'

const ID = 'AWS_ACCESS_KEY_ID'
const SECRET = 'AWS_SECRET_ACCESS_KEY'
const NEW_KEY =
  'npx mastodon-r2 init makes a key for this bucket and puts it in; or make one at https://dash.cloudflare.com/?to=/:account/r2/api-tokens'

/** Looks at shapes only: an R2 key is 32 hex characters and its secret 64. Values are never shown. */
export const accessKey = settingCheck({
  id: 'access-key',
  title: 'Access key',
  judge(settings) {
    const [id, secret] = [settings.value(ID) ?? '', settings.value(SECRET) ?? '']
    if (isHex(id, 64) && isHex(secret, 32)) return swapped(settings)
    const faults = [odd(ID, id, 32), odd(SECRET, secret, 64)].filter((what) => what !== undefined)
    if (faults.length === 0) return { severity: 'ok', saw: 'key and secret have the right form' }
    return faults.map(({ saw, name }) => ({
      severity: 'fault' as const,
      saw,
      matters: 'R2 refuses every upload with such a key.',
      next: name === undefined ? NEW_KEY : settings.write(`${name}=(the key alone)`),
    }))
  },
})

function swapped({ write }: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: `${ID} and ${SECRET} are swapped.`,
    matters: 'R2 refuses every upload: the id has 32 characters, the secret 64.',
    next: write(`${ID}=(the one of 32 characters)`, `${SECRET}=(the one of 64)`),
  }
}

/** `name`: the key itself is good, and its line has to be written anew. */
function odd(
  name: string,
  value: string,
  length: number,
): { saw: string; name?: string } | undefined {
  if (isHex(value, length)) return undefined
  if (value === '') return { saw: `${name} is missing.` }
  if (/^(AKIA|ASIA)[A-Z0-9]{12,}$/.test(value)) {
    return { saw: `${name} is a key of Amazon, not of R2.` }
  }
  if (/^cf[a-z]{1,3}_/.test(value)) {
    return {
      saw: `${name} holds a Cloudflare API token; an S3 key is made from it, and looks different.`,
    }
  }
  const bare = value.replace(/\s+#.*$/s, '').replace(/^["'\s]+|["'\s]+$/g, '')
  if (bare !== value && isHex(bare, length)) {
    return { saw: `${name} arrives with a comment, quotes or blanks beside the key.`, name }
  }
  if (isHex(value.toLowerCase(), length)) {
    return { saw: `${name} has capital letters; R2's keys have small ones.` }
  }
  const count = `${value.length} characters`
  return { saw: `${name} has ${count}; it should be ${length}, all of them 0-9 or a-f.` }
}

function isHex(value: string, length: number): boolean {
  return value.length === length && /^[0-9a-f]+$/.test(value)
}
