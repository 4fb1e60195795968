import { isIPv6 } from 'node:net'

/** Where to connect instead; an empty host or port matches any. */
export interface ConnectTo {
  readonly host: string
  readonly port: string
  readonly toHost: string
  readonly toPort: string
}

const NAME = String.raw`\[[0-9A-Fa-f:.]+\]|[^:[\]\s]`
const FORM = new RegExp(`^(${NAME}*):(\\d*):(${NAME}+):(\\d*)$`)

/**
 * curl's `HOST:PORT:ADDR:PORT`, IPv6 addresses in brackets; undefined when it isn't that. An empty
 * port at the end keeps the URL's own.
 */
export function parseConnectTo(text: string): ConnectTo | undefined {
  const [, host, port, toHost, toPort] = FORM.exec(text) ?? []
  if (host === undefined || port === undefined) return undefined
  if (!toHost || toPort === undefined) return undefined
  if ([port, toPort].some((number) => Number(number) > 65_535)) return undefined
  return { host: bare(host).toLowerCase(), port, toHost: bare(toHost), toPort }
}

/** A host without the brackets that an IPv6 address has in URLs. */
export function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}

/** The opposite. */
export function inUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host
}
