import { domainToASCII } from 'node:url'
import { parseConnectTo } from '../core/connect-to.ts'
import type { Tidied, Zod } from './setting.ts'

/** R2's rule: 3 to 63 of a-z, 0-9 and hyphen, no hyphen at an end (wrangler's validation.ts). */
export const bucketName = (z: Zod) =>
  z.string().superRefine((name, context) => {
    if (/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)) return
    const suggestion = toBucketName(name)
    const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
    context.addIssue({
      code: 'custom',
      message: `is no bucket name: those are 3 to 63 of a-z, 0-9 and "-", no "-" at an end${hint}`,
    })
  })

export function tidyBucket(typed: string): Tidied {
  const text = typed.trim().toLowerCase()
  return { text, notes: text === typed.trim() ? [] : ['changed to lower case'] }
}

/**
 * The bucket's default name: `social.example.com` gives `social-example-com-media`. A domain that was
 * never written as punycode may have no letter that a bucket can have.
 */
export function bucketFor(domain: string): string {
  const stem = domain.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return `${stem.slice(0, 57).replaceAll(/^-+|-+$/g, '') || 'mastodon'}-media`
}

function toBucketName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '')
  return name.length >= 3 ? name : undefined
}

/** Leaves a bare host name: scheme, path, port, trailing dot, upper case, accents. */
export function tidyHost(typed: string): Tidied {
  const notes: string[] = []
  let text = typed.trim()
  const put = (next: string, note: string) => {
    if (next !== text) notes.push(note)
    text = next
  }
  put(text.replace(/^[a-z][a-z0-9+.-]*:\/\//i, ''), 'left out the scheme')
  put(text.replace(/[/?#].*$/s, ''), 'left out the path')
  put(text.replace(/:\d+$/, ''), 'left out the port')
  put(text.replace(/\.+$/, ''), 'left out the trailing dot')
  put(text.toLowerCase(), 'changed to lower case')
  if ([...text].some((char) => char > '\u007f')) {
    const ascii = domainToASCII(text)
    if (ascii !== '') put(ascii, `written as punycode: ${ascii}`)
  }
  return { text, notes }
}

/** A host name that DNS, TLS and every reader of env files agree on. */
export const hostName = (z: Zod) =>
  z.string().superRefine((host, context) => {
    const fault = hostFault(host)
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
  })

function hostFault(host: string): string | undefined {
  if (host === '') return 'is empty; type a host such as files.example.com'
  if (/\s/.test(host)) return `has a space in it; did you mean ${host.replaceAll(/\s+/g, '')}?`
  if (host.includes('_')) {
    return `has an underscore, which host names can't have; did you mean ${host.replaceAll('_', '-')}?`
  }
  if (host.includes('*')) return 'is a wildcard; name one host, such as files.example.com'
  if (host.includes('@')) return 'looks like a mail address or a handle; type a host'
  if (/^\d+(\.\d+){3}$/.test(host) || host.includes(':')) {
    return 'is an IP address; media needs a host name in a domain that Cloudflare serves'
  }
  if (!host.includes('.')) return `has no dot; did you mean ${host}.example.com?`
  if (host.length > 253) return 'is longer than 253 characters'
  const labels = host.split('.')
  if (labels.some((label) => label === '')) return 'has two dots in a row, or starts with one'
  if (labels.some((label) => label.length > 63)) return 'has a part longer than 63 characters'
  const bad = labels.find((label) => !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label))
  if (bad !== undefined) {
    return `has the part "${bad}"; parts are letters, digits and hyphens, no hyphen at an end`
  }
  if (/^\d+$/.test(labels.at(-1) ?? '')) return 'ends in a number, which no domain does'
  return undefined
}

/** What `--edge recommended` stands for, in this order. */
const recommendedEdge = ['security-headers', 'cache-everything', 'private-folders'] as const

/** Everything that can be kept at the edge of the media host, by the names that `--edge` takes. */
export const edgeNames = [...recommendedEdge, 'tiered-cache'] as const

export type EdgeName = (typeof edgeNames)[number]

/** `recommended`, `none`, or names with commas between them → the names, each once. */
export const edgeWish = (z: Zod) =>
  z.string().transform((value, context): EdgeName[] => {
    const words = value.split(/[,\s]+/).filter((word) => word !== '')
    const twice = words.find((word, at) => words.indexOf(word) !== at)
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', message: `names ${twice} twice` })
      return z.NEVER
    }
    if (words.length === 1 && words[0] === 'none') return []
    const wished = words.flatMap((word) => (word === 'recommended' ? recommendedEdge : [word]))
    const found = edgeNames.filter((name) => wished.includes(name))
    if (found.length > 0 && wished.every((word) => found.some((name) => name === word)))
      return found
    const message = `must be recommended, none, or some of ${edgeNames.join(', ')} with commas between them`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const TTL_UNITS = { h: 3600, d: 86_400, w: 604_800 } as const
/** What the Free plan allows at least (Cloudflare docs, cache/how-to/edge-browser-cache-ttl), and a year. */
const [SHORTEST, LONGEST] = [2 * TTL_UNITS.h, 365 * TTL_UNITS.d]

/** `origin`, or a time such as `30d` → seconds. */
export const edgeTime = (z: Zod) =>
  z.string().transform((value, context): number | 'origin' => {
    if (value === 'origin') return value
    const [, number, unit] = /^([1-9]\d{0,3})(h|d|w)$/.exec(value) ?? []
    const seconds = Number(number) * TTL_UNITS[unit as keyof typeof TTL_UNITS]
    if (seconds >= SHORTEST && seconds <= LONGEST) return seconds
    const message = 'must be origin, or whole hours, days or weeks from 2h to 365d, such as 30d'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

/** `HOST:PORT:ADDR:PORT` texts → routes. */
export const connectTo = (z: Zod) =>
  z.array(
    z.string().transform((text, context) => {
      const route = parseConnectTo(text)
      if (route) return route
      const message = `"${text}" is not HOST:PORT:ADDR:PORT, such as ::127.0.0.1:8443`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }),
  )
