import { Problem } from '../core/problem.ts'
import type { OldPrefix } from '../redirects/redirecting.ts'

/** Where addresses of this Mastodon can lead. */
export interface Places {
  /** Its web address, and the domain of its users' names where that is another one. */
  readonly instanceHosts: readonly [string, ...string[]]
  readonly mediaHost: string
  /** Where media was served before; the longest path of a host first. */
  readonly old: readonly OldPrefix[]
}

/** What an address is about. */
export type Wanted =
  /** An object; `query` as it was given, with its question mark. */
  | { readonly kind: 'media'; readonly key: string; readonly query: string }
  | { readonly kind: 'post'; readonly id: string; readonly address: string }
  | { readonly kind: 'account'; readonly name: string; readonly address: string }

const POSTS = [
  /^\/@[^/]+\/(\d+)\/?$/,
  /^\/users\/[^/]+\/statuses\/(\d+)\/?$/,
  /^\/ap\/users\/\d+\/statuses\/(\d+)\/?$/,
  /^\/statuses\/(\d+)\/?$/,
]
const ACCOUNTS = [/^\/@([^/]+?)\/?$/, /^\/users\/([^/]+?)\/?$/]

/** All addresses, or one Problem (`address-not-ours`) that names each that is none of this Mastodon. */
export function readAddresses(addresses: readonly string[], places: Places): Wanted[] {
  const read = addresses.map((address) => ({ address, wanted: readAddress(address, places) }))
  const others = read.filter(({ wanted }) => typeof wanted === 'string')
  if (others.length > 0) {
    throw notOurs(others.map(({ address, wanted }) => `${address}: ${String(wanted)}`))
  }
  return read.map(({ wanted }) => wanted).filter((wanted) => typeof wanted !== 'string')
}

/** What it is about; as a text: why that can't be told. */
export function readAddress(address: string, places: Places): Wanted | string {
  const { instanceHosts, mediaHost, old } = places
  const url = new URL(address, `https://${instanceHosts[0]}`)
  const { host, search: query } = url
  const below = [...old, { host: mediaHost, path: '/' }].find((place) => {
    return host === place.host && url.pathname.startsWith(place.path)
  })
  if (below) {
    const key = decoded(url.pathname.slice(below.path.length))
    if (key === undefined || key === '' || key.endsWith('/')) return 'it names no file.'
    return { kind: 'media', key, query }
  }
  if (!instanceHosts.includes(host)) {
    return `${host} is neither this instance (${instanceHosts.join(', ')}) nor where its media is or was (${[mediaHost, ...old.map((place) => place.host)].filter(isNew(instanceHosts)).join(', ')}).`
  }
  const page = url.pathname.replace(/^\/(web|deck)(?=\/)/, '')
  const id = firstMatch(POSTS, page)
  if (id !== undefined) return { kind: 'post', id, address: url.href }
  const name = firstMatch(ACCOUNTS, page)
  if (name !== undefined) return { kind: 'account', name: decoded(name) ?? name, address: url.href }
  return 'it is neither a file, nor a post (/@somebody/1), nor an account (/@somebody).'
}

function isNew(before: readonly string[]) {
  return (host: string, at: number, all: readonly string[]) =>
    all.indexOf(host) === at && !before.includes(host)
}

function firstMatch(patterns: readonly RegExp[], text: string): string | undefined {
  for (const pattern of patterns) {
    const found = pattern.exec(text)?.[1]
    if (found !== undefined) return found
  }
  return undefined
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

function notOurs(lines: readonly string[]): Problem {
  return new Problem({
    code: 'address-not-ours',
    what:
      lines.length === 1
        ? 'An address is not one that can be purged here.'
        : `${lines.length} addresses are not ones that can be purged here.`,
    why: `Nothing was changed.\n${lines.map((line) => `  ${line}`).join('\n')}`,
    next: `Leave ${lines.length === 1 ? 'it' : 'them'} out. What other servers keep of it, their administrators purge; other Mastodons fetch a post's media themselves, and remove it when Mastodon tells them that the post is deleted.`,
    exit: 2,
  })
}
