import { catalog, runFlags } from '../settings/catalog.ts'
import { type FlagsOf, flag, oneOf, setting, type Zod } from '../settings/setting.ts'

/** Cloudflare's bound for sources that match what is below them (docs: bulk redirects, parameters). */
const MOST_SLASHES = 16

const FORM = /^(?:https?:\/\/)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)?(\/[\w.~/-]*)?$/i

/** `https://old.example.com/prefix/`, or `/system/` for a path of the instance itself. */
const prefix = (z: Zod) =>
  z.string().transform((text, context) => {
    const [, host, path = '/'] = FORM.exec(text.trim()) ?? []
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', message: `"${text}" ${message}` })
      return z.NEVER
    }
    const isPath = host === undefined && text.trim().startsWith('/')
    if (host === undefined && !isPath) {
      return refuse('is not an address such as https://old.example.com/media/ or /system/')
    }
    if (host === undefined && path === '/') return refuse('would redirect the whole of Mastodon')
    const whole = path.endsWith('/') ? path : `${path}/`
    if (/\/\.{0,2}\//.test(whole)) return refuse('has an empty part, or one of dots, in its path')
    if (whole.split('/').length > MOST_SLASHES) return refuse('has too many slashes')
    return { host: host?.toLowerCase(), path: whole }
  })

const what = { group: 'What to redirect' } as const

const own = {
  via: setting({
    flag: '--via',
    formerly: ['--engine'],
    value: 'NAME',
    help: 'who redirects: auto, single (a rule of the zone), bulk (a list of the account), nginx or caddy (printed, you put it in place)',
    rule: oneOf(['auto', 'single', 'bulk', 'nginx', 'caddy']),
    fallback: 'auto',
    ...what,
  }),
  status: setting({
    flag: '--status',
    value: '301|302',
    help: 'permanent or temporary; 301 is only used once 302 was seen to work',
    rule: oneOf(['301', '302']),
    fallback: '301',
    ...what,
  }),
  oldAddress: setting({
    flag: '--old-address',
    formerly: ['--from'],
    value: 'PREFIX',
    help: 'where old addresses begin, e.g. https://old.example.com/media/; may be given several times',
    rule: (z) => z.array(prefix(z)),
    repeatable: true,
    fallbackHelp:
      'all places that the env file and its backups name, else /system/ of the instance',
    ...what,
  }),
  assumeRestarted: setting({
    flag: '--assume-restarted',
    help: 'you have restarted Mastodon since the switch where it can not be seen from here',
    rule: flag,
    answerable: false,
    ...what,
  }),
  remove: setting({
    flag: '--remove',
    help: 'take away the redirects that this program made at Cloudflare, and nothing else',
    rule: flag,
    answerable: false,
    ...what,
  }),
} as const

/** Everything that finds a setup, and what `redirects` adds. */
export const redirectsCatalog = { ...catalog, ...own } as const

/** The settings that `redirects` takes. */
export const redirectsFlags = {
  ...own,
  mediaHost: {
    ...catalog.mediaHost,
    help: 'the media host that old addresses lead to',
    fallbackHelp: 'from the env file',
    ...what,
  },
  apiToken: {
    ...catalog.apiToken,
    help: 'file with a Cloudflare API token (- reads standard input); not needed for nginx and caddy',
  },
  ...runFlags,
  mastodonEnv: { ...catalog.mastodonEnv, help: 'the env file that Mastodon uses' },
} as const

declare module '../core/to-type.ts' {
  interface CommandFlags {
    redirects: FlagsOf<typeof redirectsFlags>
  }
}
