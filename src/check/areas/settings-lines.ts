import { counted } from '../../core/amounts.ts'
import { Secret } from '../../core/secret.ts'
import { prose, toType } from '../../core/to-type.ts'
import { thirdStorage, thirdStorageCopy } from '../../flow/mastodon-here.ts'
import type { Verdict } from '../../plan/verdict.ts'
import { strayLine } from '../../services/mastodon/env-text.ts'
import { notUtf8 } from '../../setup/env-encoding.ts'
import {
  isSecretSetting,
  isStorageSetting,
  type StorageSettings,
  settingCheck,
  shown,
} from './setting-check.ts'
import { position, readFiles } from './settings-file.ts'

/** Mastodon compares S3_ENABLED with `true`, letter by letter (config/initializers/paperclip.rb). */
export const enabled = settingCheck({
  id: 's3-enabled',
  title: 'S3_ENABLED',
  always: true,
  judge({ kind, value, told }, { installation }) {
    const now = value('S3_ENABLED')
    const third = thirdStorage(installation)
    if (third !== undefined) {
      return {
        severity: kind === 'none' ? 'fault' : 'note',
        saw: `Mastodon stores its media at ${third.name} now, neither on its own disk nor on R2.`,
        matters: thirdStorageCopy(third),
        next: toType('init', { existingMedia: 'prepare' }),
      }
    }
    if (kind === 'none') {
      return {
        severity: 'fault',
        saw: 'No storage is set up; Mastodon keeps media on its own disk.',
        matters: 'There is nothing of R2 to look at yet.',
        next: toType('init'),
      }
    }
    if (now === 'true') return { severity: 'ok', saw: 'true' }
    if (now === 'false') {
      return {
        severity: 'note',
        saw: 'S3_ENABLED=false: storage is prepared, and not switched on.',
        matters: 'New uploads go where they went before.',
        next: prose`To copy the media and switch:\n  ${toType('migrate')}`,
      }
    }
    const what = now === undefined || now === '' ? 'is missing' : `is "${shown(now)}"`
    return {
      severity: 'fault',
      saw: `S3_ENABLED ${what}.`,
      matters:
        'Only the word true, in small letters, switches it on; Mastodon uses its own disk now.',
      // No mend: what lies on the disk would be shown no more until it is copied.
      next: told('S3_ENABLED=true'),
    }
  },
})

const ACL =
  /^(private|public-read|public-read-write|authenticated-read|aws-exec-read|bucket-owner-(read|full-control))$/

/** Absent means `public-read` to Mastodon; only "there and empty" sends no ACL (mastodon#20416). */
export const permission = settingCheck({
  id: 's3-permission',
  title: 'S3_PERMISSION',
  judge({ value, write }) {
    const now = value('S3_PERMISSION')
    const cure = write('S3_PERMISSION', '')
    if (now === '') return { severity: 'ok', saw: 'there and empty' }
    if (now === undefined) {
      return {
        severity: 'fault',
        saw: 'S3_PERMISSION is missing.',
        matters:
          'It must be there and empty: without the line, Mastodon asks for the ACL public-read with each upload. R2 has no ACLs, so uploads can fail (error 501, NotImplemented).',
        ...cure,
      }
    }
    if (now === "''" || now === '""') {
      return {
        severity: 'fault',
        saw: `S3_PERMISSION arrives as two quote characters (${now}), not as nothing.`,
        matters: 'The quotes are sent to R2 as the name of an ACL, and the upload is refused.',
        ...cure,
      }
    }
    if (!ACL.test(now)) {
      return {
        severity: 'fault',
        saw: `S3_PERMISSION is "${shown(now)}".`,
        matters:
          'That is no ACL at all, and it is sent with each upload; the line has to be empty.',
        ...cure,
      }
    }
    return {
      severity: 'warning',
      saw: `S3_PERMISSION is "${shown(now)}"; it should be empty.`,
      matters:
        'R2 has no ACLs: it protects nothing, costs a request per file, and can make uploads fail.',
      ...cure,
    }
  },
})

/** The scheme of the links to media; https unless told (mastodon#24235). */
export const protocol = settingCheck({
  id: 's3-protocol',
  title: 'S3_PROTOCOL',
  judge({ value, write }) {
    const now = value('S3_PROTOCOL')
    if (now === undefined || now === 'https') return { severity: 'ok', saw: 'https' }
    return {
      severity: 'fault',
      saw: `S3_PROTOCOL is "${shown(now)}".`,
      matters:
        now === 'http'
          ? 'Links to media begin with http://, and browsers refuse those on a https page.'
          : 'It becomes the first part of every link to media; only https works.',
      ...write('S3_PROTOCOL', 'https'),
    }
  },
})

/** `auto`; us-east-1 and empty mean the same to R2 (Cloudflare docs, r2/api/s3/api). */
export const region = settingCheck({
  id: 's3-region',
  title: 'S3_REGION',
  judge({ value, write }) {
    const now = value('S3_REGION') ?? 'us-east-1'
    if (['auto', 'us-east-1', ''].includes(now)) return { severity: 'ok', saw: now || 'empty' }
    return {
      severity: 'warning',
      saw: `S3_REGION is "${shown(now)}".`,
      matters:
        'R2 has no such regions and can refuse the signature; where the bucket is, it knows itself.',
      ...write('S3_REGION', 'auto'),
    }
  },
})

/** R2's rule for bucket names (Cloudflare docs, r2/buckets/create-buckets). */
const NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/

export const bucket = settingCheck({
  id: 's3-bucket',
  title: 'S3_BUCKET',
  judge({ value, write }) {
    const now = value('S3_BUCKET') ?? ''
    if (NAME.test(now)) return { severity: 'ok', saw: shown(now) }
    const tidy = now
      .replace(/\s+#.*$/s, '')
      .replace(/^["'\s]+|["'\s]+$/g, '')
      .toLowerCase()
      .replace(/^https?:\/\//, '')
      .replace(/^\/+|\/+$/g, '')
    const last = tidy.split('/').at(-1) ?? ''
    return {
      severity: 'fault',
      saw: now === '' ? 'S3_BUCKET is missing.' : `S3_BUCKET is "${shown(now)}".`,
      matters:
        "It has to be the bucket's bare name: 3 to 63 small letters, digits and hyphens (R2 has no dots in them). Nothing can be stored like this.",
      ...(NAME.test(last)
        ? write('S3_BUCKET', last)
        : {
            next: prose`Look up the name at https://dash.cloudflare.com/?to=/:account/r2, or let this tool set it up: ${toType('init')}`,
          }),
    }
  },
})

const ID = 'AWS_ACCESS_KEY_ID'
const SECRET = 'AWS_SECRET_ACCESS_KEY'
const NEW_KEY = prose`${toType('init')} makes a key for this bucket and puts it in; or make one at https://dash.cloudflare.com/?to=/:account/r2/api-tokens`

/** Looks at shapes only: an R2 key is 32 hex characters and its secret 64. Values are never shown. */
export const accessKey = settingCheck({
  id: 'access-key',
  title: 'Access key',
  judge(settings) {
    const [id, secret] = [settings.value(ID) ?? '', settings.value(SECRET) ?? '']
    if (isHex(id, 64) && isHex(secret, 32)) return swapped(settings, { id, secret })
    const faults = [odd(ID, id, 32), odd(SECRET, secret, 64)].filter((what) => what !== undefined)
    if (faults.length === 0) return { severity: 'ok', saw: 'key and secret have the right form' }
    return faults.map(({ saw, kept }) => ({
      severity: 'fault' as const,
      saw,
      matters: 'R2 refuses every upload with such a key.',
      ...(kept === undefined
        ? { next: NEW_KEY }
        : {
            next: settings.told(`${kept.name}=(the key alone)`),
            ...settings.mend({ [kept.name]: new Secret(kept.bare) }),
          }),
    }))
  },
})

function swapped(
  { told, mend }: StorageSettings,
  { id, secret }: { readonly id: string; readonly secret: string },
): Verdict {
  return {
    severity: 'fault',
    saw: `${ID} and ${SECRET} are swapped.`,
    matters: 'R2 refuses every upload: the id has 32 characters, the secret 64.',
    next: told(`${ID}=(the one of 32 characters)`, `${SECRET}=(the one of 64)`),
    ...mend({ [ID]: new Secret(secret), [SECRET]: new Secret(id) }),
  }
}

interface Odd {
  readonly saw: string
  /** The key itself is good, and its line has to be written anew. */
  readonly kept?: { readonly name: string; readonly bare: string }
}

function odd(name: string, value: string, length: number): Odd | undefined {
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
    const saw = `${name} arrives with a comment, quotes or blanks beside the key.`
    return { saw, kept: { name, bare } }
  }
  if (isHex(value.toLowerCase(), length)) {
    return { saw: `${name} has capital letters; R2's keys have small ones.` }
  }
  const count = counted(value.length, 'character')
  return { saw: `${name} has ${count}; it should be ${length}, all of them 0-9 or a-f.` }
}

function isHex(value: string, length: number): boolean {
  return value.length === length && /^[0-9a-f]+$/.test(value)
}

const PLACEHOLDER = /\{\{.*\}\}|^<[^>]*>$|^(your|my)[-_ ]?(bucket|account|access|secret|key)/is

/** Pieces of guides that were meant to be filled in or left out. */
export const leftovers = settingCheck({
  id: 'leftovers',
  title: 'Leftovers of guides',
  always: true,
  judge(settings, { installation }) {
    const unfilled = [...installation.settings]
      .filter(([name, { value }]) => isStorageSetting(name) && PLACEHOLDER.test(value))
      .map(([name, { value }]) => placeholder(name, value, settings))
    const ignored =
      settings.value('S3_DISABLE_CHECKSUM_MODE') === undefined ? [] : [unused(settings)]
    const found = [...unfilled, ...ignored]
    return found.length === 0 ? { severity: 'ok', saw: 'none' } : found
  },
})

function placeholder(name: string, value: string, settings: StorageSettings): Verdict {
  const what = isSecretSetting(name) ? 'a placeholder' : `the placeholder ${shown(value)}`
  return {
    severity: 'fault',
    saw: `${name} holds ${what} of a guide.`,
    matters: 'Your own value was never put in, so storage can not work.',
    next: prose`${toType('init')} puts it in; or by hand: ${settings.told(`${name}=(your value)`)}`,
  }
}

function unused(settings: StorageSettings): Verdict {
  return {
    severity: 'note',
    saw: 'S3_DISABLE_CHECKSUM_MODE is set.',
    matters: 'No released Mastodon reads it (only test versions of 4.2 did); it has no effect.',
    ...settings.remove('S3_DISABLE_CHECKSUM_MODE'),
  }
}

/** One byte in a comment is enough for Mastodon not to start again. */
export const utf8 = settingCheck({
  id: 'env-utf8',
  title: 'Encoding',
  always: true,
  judge(_, at): Verdict | readonly Verdict[] {
    const { installation } = at
    const found = notUtf8(installation).map(
      ({ place, why, next }): Verdict => ({
        severity: 'fault',
        saw: `${place} has a byte that is no UTF-8.`,
        matters: why,
        next,
      }),
    )
    if (found.length > 0) return found
    if (installation.kind !== 'docker') return { severity: 'ok', saw: 'UTF-8' }
    const odd = readFiles(at).flatMap((read) =>
      read.statements
        .filter(({ value }) => strayLine(value) !== undefined)
        .map((statement) => position(read, statement)),
    )
    if (odd.length === 0) return { severity: 'ok', saw: 'UTF-8' }
    return {
      severity: 'note',
      saw: `${odd.join(', ')}: a byte that is no UTF-8.`,
      matters: 'Docker hands on another sign in its place.',
      next: 'Write that sign anew in an editor that saves UTF-8.',
    }
  },
})
