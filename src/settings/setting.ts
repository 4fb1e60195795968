import { isIP } from 'node:net'
import type { ZodType } from 'zod'
import { Secret } from '../core/secret.ts'

/** What rules are made of. */
export type Zod = typeof import('./zod.ts')

/** How a value is checked, made when there is one: zod is loaded for that, and not before a question. */
export type Rule<T> = (z: Zod) => ZodType<T>

/** A setting, told once: it feeds parsing, help, questions, checks, errors and the README's table. */
export interface Setting<T> {
  readonly flag: `--${string}`
  /** One letter that means the same, e.g. `-y`. */
  readonly short?: `-${string}`
  /** Flags that meant the same in earlier versions; they still do, and so do answers of that name. */
  readonly formerly?: readonly `--${string}`[]
  /** Placeholder of the flag's value, e.g. `HOST`; absent for a switch. */
  readonly value?: string
  /** The variable, where it is not the one of the rule (`variableOf`). */
  readonly env?: string
  /** One line. */
  readonly help: string
  /** Checks text (or a list of texts, or true) and gives the typed value. */
  readonly rule: Rule<T>
  /** Puts harmless mistakes right before the rule is asked; what was put right is said. */
  readonly tidy?: (text: string) => Tidied
  readonly secret?: true
  readonly repeatable?: true
  /** Words without a flag are values of this one; it is repeatable. */
  readonly words?: true
  /** The flag names a file (`-`: standard input) that holds the value. */
  readonly fromFile?: true
  /** Shown in help and used where nothing else answers. */
  readonly fallback?: string
  /** Shown in help instead of `fallback` when the default is worked out. */
  readonly fallbackHelp?: string
  /** May stand in `--answers`. False for where things are read and printed. */
  readonly answerable?: false
  readonly group: SettingGroup
  readonly question?: { readonly message: string; readonly hint?: string }
}

/** What somebody wants to do who looks for a flag, in the order of the help pages. */
export const settingGroups = [
  'What to set up',
  'What to look at',
  'What to take back',
  'What to rotate',
  'What to migrate',
  'What to bring back',
  'How to clean up',
  'Put it right',
  'How to cut over',
  'What to redirect',
  'What to purge',
  'What to stand in for',
  'The access key',
  'Where Mastodon is',
  'Cloudflare account and token',
  'Look before anything changes',
  'Run without questions',
  'What is shown',
  'Another Cloudflare or network',
] as const

export type SettingGroup = (typeof settingGroups)[number]

export interface Tidied {
  readonly text: string
  /** What was put right, e.g. `left out "https://"`. */
  readonly notes: readonly string[]
}

export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition
}

/** The variable of a setting: MASTODON_R2_ and its flag, but for those that had a name before. */
export function variableOf({ flag, env }: Pick<Setting<unknown>, 'flag' | 'env'>): string {
  return env ?? `MASTODON_R2_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`
}

/**
 * The text of a variable as its rule takes it; undefined where a switch is off. Several values are
 * parted by commas or blanks. NO_COLOR is on whatever it holds (no-color.org).
 */
export function fromVariable(
  { env, value, repeatable }: Pick<Setting<unknown>, 'env' | 'value' | 'repeatable'>,
  text: string,
): unknown {
  if (repeatable) return text.split(/[\s,]+/).filter((part) => part !== '')
  if (value !== undefined) return text
  if (env !== undefined || /^(1|true|yes|on)$/i.test(text.trim())) return true
  return /^(0|false|no|off)$/i.test(text.trim()) ? undefined : text
}

export type Catalog = Readonly<Record<string, Setting<unknown>>>
export type ValueOf<S> = S extends Setting<infer T> ? T : never

/** Values for flags as a person types them, by the names of the settings; a secret is never typed. */
export type FlagsOf<C> = { readonly [N in keyof C]?: Typed<ValueOf<C[N]>> }

type Typed<T> = [T] extends [boolean]
  ? true
  : [T] extends [Secret]
    ? never
    : [T] extends [string]
      ? T
      : string | readonly string[]

export const text = (z: Zod) => z.string().min(1, 'is empty')

export const flag = (z: Zod) => z.boolean({ error: 'must be 1 or 0, or true or false' })

/** The words that a value can be; none where it is free. */
export function choicesOf({
  rule,
  value = '',
}: Pick<Setting<unknown>, 'rule' | 'value'>): string[] {
  if ('words' in rule) return [...(rule as OneOf<readonly string[]>).words]
  return value.split('|').filter((word) => /^[a-z][a-z-]*$/.test(word))
}

/** The rule of a choice, which tells what there is to choose. */
type OneOf<T extends readonly string[]> = Rule<T[number]> & { readonly words: T }

export function oneOf<const T extends readonly [string, ...string[]]>(words: T): OneOf<T> {
  const rule: Rule<T[number]> = (z) =>
    z.enum(words, { error: `must be one of ${words.join(', ')}` })
  return Object.assign(rule, { words })
}

/** Account and zone ids are 32 hexadecimal characters. */
export const cloudflareId = (z: Zod) =>
  z
    .string()
    .regex(
      /^[0-9a-f]{32}$/,
      "is no id of Cloudflare's: those are 32 characters of 0-9 and a-f; yours stands in the dashboard's address",
    )

/** The bootstrap token. Its text is never shown, so the messages don't repeat it. */
export const apiToken = (z: Zod) =>
  z
    .string()
    .transform((value) => value.trim())
    .superRefine((value, context) => {
      const message = tokenFault(value)
      if (message !== undefined) context.addIssue({ code: 'custom', message })
    })
    .transform((value) => new Secret(value))

function tokenFault(value: string): string | undefined {
  if (value === '') return 'is empty'
  if (/^bearer\s/i.test(value)) return 'starts with "Bearer"; paste the token alone'
  if (/^["'`]|["'`]$/.test(value)) return 'is in quotes; give the token without them'
  if (/^[A-Z_]+=/.test(value)) return 'has a name and = before it; give the token alone'
  if (/\s/.test(value)) return 'has a space or a line break in it; paste the token alone'
  if (value.startsWith('cfk_') || /^[0-9a-f]{37}$/.test(value)) {
    return 'is a Global API Key; make an API token instead'
  }
  if (/^[0-9a-f]{64}$/.test(value)) return 'is an S3 secret access key; an API token is needed'
  if (/^[0-9a-f]{32}$/.test(value)) return 'is an id (account or access key), not an API token'
  if (!/^[A-Za-z0-9_-]{40,200}$/.test(value)) {
    return 'does not look like an API token (at least 40 letters, digits, "-" or "_")'
  }
  return undefined
}

export const cidrs = (z: Zod) =>
  z.array(
    z.string().refine(isCidr, {
      error: ({ input }) =>
        `"${String(input)}" is not an address or range such as 203.0.113.7 or 2001:db8::/32`,
    }),
  )

function isCidr(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  )
}

/** scheme://host[:port], or `*` (Cloudflare R2 docs, buckets/cors). */
export const origins = (z: Zod) =>
  z.array(
    z.string().refine((value) => value === '*' || /^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(value), {
      error: ({ input }) =>
        `"${String(input)}" is not an origin such as https://social.example.com (no path), or *`,
    }),
  )

/** Days or a date or a full time → RFC 3339 without milliseconds, which Cloudflare refuses. */
export const expiry = (z: Zod) =>
  z.string().transform((value, context) => {
    const date = /^\d{4}-\d{2}-\d{2}$/.test(value)
      ? new Date(`${value}T23:59:59Z`)
      : new Date(value)
    const shape = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:\d{2}))?$/
    if (!shape.test(value) || Number.isNaN(date.getTime()) || !sameDay(value, date)) {
      context.addIssue({ code: 'custom', message: `is not a date such as 2027-06-30` })
      return z.NEVER
    }
    return date.toISOString().replace(/\.\d{3}Z$/, 'Z')
  })

function sameDay(value: string, date: Date): boolean {
  return value.length > 10 || date.toISOString().startsWith(value)
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** `90s`, `15m`, `1h` → milliseconds. */
export const duration = (z: Zod) =>
  z.string().transform((value, context) => {
    const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value) ?? []
    if (number === undefined || unit === undefined) {
      context.addIssue({ code: 'custom', message: 'is not a time such as 90s, 15m or 1h' })
      return z.NEVER
    }
    return Number(number) * UNITS[unit as keyof typeof UNITS]
  })

export const webUrl = (z: Zod) =>
  z
    .string()
    .refine(isWebUrl, 'must be an http or https address')
    .refine(hasNoUser, 'must have no name or password before the host: it would be shown')
    .transform((value) => value.replace(/\/+$/, ''))

/** An address without path, as Mastodon's S3_ENDPOINT must be. */
export const endpointUrl = (z: Zod) =>
  webUrl(z).refine(
    (value) => new URL(value).pathname === '/' && !value.includes('?'),
    'must have no path: the bucket is named by --bucket',
  )

function hasNoUser(value: string): boolean {
  if (!URL.canParse(value)) return true
  const { username, password } = new URL(value)
  return username === '' && password === ''
}

function isWebUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}
