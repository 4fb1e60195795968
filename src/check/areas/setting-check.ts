import type { Secret } from '../../core/secret.ts'
import { shellWord } from '../../core/shell-word.ts'
import { asRoot, prose, type Text } from '../../core/to-type.ts'
import type { Check, CheckWorld, Mend, Verdict } from '../../plan/verdict.ts'

export type SettingsWorld = Pick<
  CheckWorld,
  'installation' | 'storage' | 'envReader' | 'behindProxy'
>

/** What Mastodon reads about its storage, and the words for putting a line right. */
export interface StorageSettings {
  /** `none`: nothing is said about storage. `other`: another S3 provider's. Else R2, or meant to be. */
  readonly kind: 'none' | 'other' | 'r2'
  /** Effective value; undefined where nothing sets it. */
  value(name: string): string | undefined
  /** How to have this value in force, in the place that counts. */
  write(name: string, value: string): Cure
  /** The same in words: of lines with something that a person has to fill in. */
  told(...lines: readonly [string, ...string[]]): Text
  /** How to be rid of a setting. */
  remove(name: string): Cure
  /** The mend alone; undefined where one of them stands in no env file. */
  mend(values: Readonly<Record<string, string | Secret | undefined>>): { readonly mend?: Mend }
}

/** The end of a verdict. */
interface Cure {
  readonly next: Text
  readonly mend?: Mend
}

const STORAGE_NAME =
  /^(S3_|AWS_)|^(EXTRA_MEDIA_HOSTS|CDN_HOST|(LOCAL|WEB)_DOMAIN|PAPERCLIP_ROOT_\w+)$/
const ESSENTIAL = ['S3_BUCKET', 'S3_ENDPOINT', 'S3_ALIAS_HOST', 'AWS_ACCESS_KEY_ID']

function storageSettings(at: SettingsWorld): StorageSettings {
  const { settings, envFile, envFiles, composeFile } = at.installation
  const value = (name: string) => settings.get(name)?.value
  const place = (name: string) => {
    const from = settings.get(name)?.from ?? envFile.path
    if (from === composeFile) return `under environment: in ${from}`
    const unit = /^systemd unit (\S+)$/.exec(from)?.[1]
    return unit === undefined
      ? `in ${from}`
      : prose`among the Environment= lines of ${unit} (${asRoot(`systemctl edit --full ${shellWord(unit)}`)})`
  }
  const isInFile = (name: string) => {
    const from = settings.get(name)?.from
    return from === undefined ? envFile.exists : envFiles.some(({ path }) => path === from)
  }
  const mend: StorageSettings['mend'] = (values) => {
    if (!Object.keys(values).every(isInFile)) return {}
    return { mend: { is: 'settings', values: new Map(Object.entries(values)) } }
  }
  const told: StorageSettings['told'] = (...lines) => {
    const name = lines[0].replace(/=.*/s, '')
    const [one, more] =
      value(name) === undefined
        ? ['Add this line', 'Add these lines']
        : [`Change the line ${name}`, 'Change the lines']
    return prose`${lines.length === 1 ? one : more} ${place(name)}${value(name) === undefined ? '' : ' to'}:${lines.map((line) => `\n  ${line}`).join('')}`
  }
  return {
    kind: kindOf(value, at.storage.isR2),
    value,
    told,
    mend,
    write: (name, now) => ({ next: told(`${name}=${now}`), ...mend({ [name]: now }) }),
    remove: (name) => ({
      next: prose`Remove the line ${name} ${place(name)}.`,
      ...mend({ [name]: undefined }),
    }),
  }
}

/** Whether a setting matters to where media is stored and loaded from. */
export function isStorageSetting(name: string): boolean {
  return STORAGE_NAME.test(name)
}

export function isSecretSetting(name: string): boolean {
  return /SECRET|PASS|TOKEN|CREDENTIAL|_KEY/.test(name)
}

function kindOf(value: (name: string) => string | undefined, isR2: boolean) {
  const isMeant = /^\W*(true|1|yes|on|y|t)\W*$/i.test(value('S3_ENABLED') ?? '')
  if (!isMeant && ESSENTIAL.every((name) => (value(name) ?? '') === '')) return 'none'
  const endpoint = value('S3_ENDPOINT') ?? ''
  if (isR2 || !/^https?:\/\/[\w.-]+(:\d+)?(\/|$)/i.test(endpoint)) return 'r2'
  return /\.(r2\.cloudflarestorage\.com|r2\.dev)(:\d+)?(\/|$)/i.test(endpoint) ? 'r2' : 'other'
}

export type SettingsCheck = Check<keyof SettingsWorld>

interface SettingCheck {
  readonly id: string
  readonly title: string
  /** Also asked where nothing, or another provider, is set up. */
  readonly always?: true
  judge(
    settings: StorageSettings,
    at: SettingsWorld,
  ): Verdict | readonly Verdict[] | Promise<Verdict | readonly Verdict[]>
}

/** A check of what the settings say, nothing else: no network, no waiting. */
export function settingCheck({ id, title, always, judge }: SettingCheck): SettingsCheck {
  return {
    id,
    about: 'settings',
    title,
    cost: 'look',
    async look(at) {
      const settings = storageSettings(at)
      if (!always && settings.kind !== 'r2') {
        const saw = settings.kind === 'none' ? 'no storage is set up' : 'another provider is in use'
        return [{ severity: 'skipped', saw }]
      }
      return [await judge(settings, at)].flat()
    },
  }
}

/**
 * A setting's value as it may be seen: what stands before a host and its @ or behind the ? of an address,
 * and what is long enough to be a key or a token is masked, should it stand in the wrong line; control
 * characters can't reach the terminal, and a blank that came along from a page is told by its number.
 */
export function shown(value: string): string {
  return value
    .replace(/\/\/[^/@\s]*@/g, '//••••@')
    .replace(/^[^/@\s]*:[^/@\s]*@/, '••••@')
    .replace(/^(https?:\/\/[^?#]*[?#]).+$/is, '$1••••')
    .replace(/[A-Za-z0-9+=_-]{40,}/g, '••••')
    .replace(/\p{Cc}/gu, '?')
    .replace(/(?! )[\p{Z}\p{Cf}]/gu, (sign) => `<U+${hex(sign)}>`)
}

function hex(sign: string): string {
  return (sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
}
