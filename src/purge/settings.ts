import { catalog } from '../settings/catalog.ts'
import { type FlagsOf, flag, setting, type Zod } from '../settings/setting.ts'

/** Whole addresses, paths of the instance, or a host and its path; where they lead is looked at later. */
const addresses = (z: Zod) =>
  z.array(
    z.string().transform((text, context) => {
      const typed = text.trim()
      const whole = /^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?\//i.test(typed) ? `https://${typed}` : typed
      const isPath = whole.startsWith('/') && !whole.startsWith('//')
      const base = isPath ? 'https://instance.invalid' : undefined
      const url = URL.canParse(whole, base) ? new URL(whole, base) : undefined
      const isFine =
        url && /^https?:$/.test(url.protocol) && url.username === '' && !/\s/.test(whole)
      if (isFine) return whole
      context.addIssue({
        code: 'custom',
        message: `"${text}" is not an address such as https://files.example.com/... or /@somebody/1`,
      })
      return z.NEVER
    }),
  )

const UNITS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `12h`, `7d`, `2w`: milliseconds, and as it was typed. */
const ago = (z: Zod) =>
  z.string().transform((typed, context) => {
    const [, number, unit] = /^([1-9]\d{0,3})(h|d|w)$/.exec(typed.trim()) ?? []
    if (number !== undefined) return Number(number) * UNITS[unit as keyof typeof UNITS]
    context.addIssue({ code: 'custom', message: 'is not a time such as 12h, 7d or 2w' })
    return z.NEVER
  })

const what = { group: 'What to purge' } as const

const own = {
  address: setting({
    flag: '--address',
    value: 'ADDRESS',
    help: 'media, a post or an account of this instance; may be given several times, and without the flag',
    rule: addresses,
    repeatable: true,
    words: true,
    ...what,
  }),
  deletedSince: setting({
    flag: '--deleted-since',
    value: 'TIME',
    help: 'what went from the bucket in so long (12h, 7d, 2w) and Mastodon has no more: out of the cache',
    rule: ago,
    ...what,
  }),
  keepList: setting({
    flag: '--keep-list',
    help: 'keep a list of what the bucket holds, from which --deleted-since knows',
    rule: flag,
    ...what,
  }),
  andDelete: setting({
    flag: '--and-delete',
    help: 'delete it from the bucket, too: nobody gets it any more, and it does not come back',
    rule: flag,
    answerable: false,
    ...what,
  }),
} as const

/** Everything that finds a setup, and what `purge` adds. */
export const purgeCatalog = { ...catalog, ...own } as const

/** The settings that `purge` takes. */
export const purgeFlags = {
  ...own,
  accountId: catalog.accountId,
  apiToken: {
    ...catalog.apiToken,
    help: 'file with a Cloudflare API token (- reads standard input) that may purge the cache of the zone; never stored',
  },
  mastodonDir: catalog.mastodonDir,
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file that Mastodon uses' },
  answers: catalog.answers,
  dryRun: catalog.dryRun,
  yes: { ...catalog.yes, help: 'agree to the plan; what destroys something needs its flag, too' },
  json: catalog.json,
  quiet: catalog.quiet,
  verbose: catalog.verbose,
  timings: catalog.timings,
  noColor: catalog.noColor,
  logFile: catalog.logFile,
  cloudflareApiUrl: catalog.cloudflareApiUrl,
  s3EndpointUrl: { ...catalog.s3EndpointUrl, help: 'another S3 endpoint than the env file names' },
  connectTo: catalog.connectTo,
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    purge: FlagsOf<typeof purgeFlags>
  }
}
