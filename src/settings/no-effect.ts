import { Problem } from '../core/problem.ts'
import { prose, type Text, type ToType } from '../core/to-type.ts'
import type { Settings } from './resolve.ts'
import type { Catalog } from './setting.ts'

/**
 * A flag that was given and could not be obeyed; it is refused before anything changes, as whoever
 * gave it counts on it. Exit 2.
 */
export function noEffect(flag: string, why: string, next?: Text): Problem {
  return new Problem({
    code: 'flag-without-effect',
    what: `${flag} would have no effect here.`,
    why,
    // Of "--this with --that" the first one alone.
    next: next ?? `Leave ${flag.replace(/ with .*$/, '')} out, and run it again.`,
    exit: 2,
  })
}

/** What to do about a flag that another line would obey. */
export function instead(flag: string, line: ToType): Text {
  return prose`Leave ${flag} out, or type what it belongs to:\n  ${line}`
}

/** A flag about Cloudflare where no token is given and nobody is asked for one. */
export function withoutToken(flag: string): Problem {
  const next = `Leave ${flag} out, or add a token: --api-token-file PATH, or CLOUDFLARE_API_TOKEN.`
  return noEffect(flag, 'Without an API token Cloudflare is not asked.', next)
}

/** Given as a flag: variables and answers are often there for several runs, flags for this one. */
export function isFlag(settings: Pick<Settings<Catalog>, 'source'>, name: string): boolean {
  return settings.source(name)?.startsWith('--') === true
}

/** What tells which account at Cloudflare is asked, and opens it. */
export const ofCloudflare = ['apiToken', 'accountId', 'cloudflareApiUrl'] as const

/** The first of the settings that was given as a flag, as it was typed; undefined when none was. */
export function firstFlag(
  settings: Pick<Settings<Catalog>, 'source'>,
  names: Iterable<string>,
): string | undefined {
  for (const name of names) if (isFlag(settings, name)) return settings.source(name)
  return undefined
}

/** Problem `settings-contradict`; `why` goes on after "because". */
export function contradiction(first: string, second: string, why: string): Problem {
  return new Problem({
    code: 'settings-contradict',
    what: `${first} and ${second} can't both be meant.`,
    why: `That is so because ${why}.`,
    next: 'Leave one of them out and run it again.',
    exit: 2,
  })
}
