import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { bare } from './connect-to.ts'
import { Problem } from './problem.ts'
import { Secret } from './secret.ts'

/** A proxy as HTTPS_PROXY or HTTP_PROXY names it. */
export interface ProxyServer {
  /** For people, e.g. `proxy.example.com:3128`. */
  readonly name: string
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
  /** The proxy itself is spoken to over TLS. */
  readonly isSecure: boolean
  /** What its header Proxy-Authorization holds, where the variable has a name and a password. */
  readonly credentials: Secret | undefined
}

/** The proxy for an address; undefined where none is to be used. */
export type FindProxy = (url: URL) => ProxyServer | undefined

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The proxies that the environment names, by the rules of Go's net/http, which rclone and docker obey
 * as well: the upper-case name first, one variable for each scheme, nothing for this machine itself.
 * Undefined where none is named. Throws Problem `proxy-not-usable`.
 */
export function proxiesOf(environment: Variables): FindProxy | undefined {
  const https = proxyIn(environment, 'HTTPS_PROXY')
  const http = proxyIn(environment, 'HTTP_PROXY')
  if (https === undefined && http === undefined) return undefined
  const isExcepted = exceptions(read(environment, 'NO_PROXY') ?? '')
  return (url) => {
    const proxy = url.protocol === 'https:' ? https : http
    return proxy && !isExcepted(url) ? proxy : undefined
  }
}

/** curl and others obey it, Go's programs do not: who sets it alone is not heard. */
export function hasOnlyAllProxy(environment: Variables): boolean {
  const isSet = (name: string) => read(environment, name) !== undefined
  return isSet('ALL_PROXY') && !isSet('HTTPS_PROXY')
}

function read(environment: Variables, name: string): string | undefined {
  return environment[name] || environment[name.toLowerCase()] || undefined
}

function proxyIn(environment: Variables, variable: string): ProxyServer | undefined {
  const text = read(environment, variable)?.trim()
  if (!text) return undefined
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? []
  if (scheme !== undefined && !/^https?$/i.test(scheme)) {
    throw notUsable(
      variable,
      `It begins with ${scheme}://, and only http:// and https:// are known.`,
    )
  }
  const address = scheme === undefined ? `http://${text}` : text
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || url.hostname === '') throw notUsable(variable, 'It is no address.')
  const isSecure = url.protocol === 'https:'
  const port = Number(url.port) || (isSecure ? 443 : 80)
  return {
    name: `${url.hostname}:${port}`,
    host: bare(url.hostname),
    port,
    isSecure,
    credentials: credentialsOf(url, variable),
  }
}

function credentialsOf({ username, password }: URL, variable: string): Secret | undefined {
  if (username === '' && password === '') return undefined
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    return new Secret(`Basic ${Buffer.from(pair).toString('base64')}`)
  } catch {
    throw notUsable(variable, 'A % in its name or password has to be written as %25.')
  }
}

/** The value may hold a password: it is never shown. */
function notUsable(variable: string, why: string): Problem {
  return new Problem({
    code: 'proxy-not-usable',
    what: `${variable} names no proxy that can be used.`,
    why,
    next: `Set it in this form: export ${variable}=http://proxy.example.com:3128\nWithout a proxy: unset ${variable} ${variable.toLowerCase()}`,
    exit: 2,
  })
}

/**
 * Of NO_PROXY: `example.com` with what is below it, `.example.com` only what is below it, addresses,
 * ranges, each with a port or without, and `*`.
 */
function exceptions(list: string): (url: URL) => boolean {
  const isNamed = list.split(',').map((entry) => exception(entry.trim().toLowerCase()))
  const loopback = ranges([
    ['127.0.0.0', 8],
    ['::1', 128],
  ])
  return (url) => {
    const host = bare(url.hostname).replace(/\.$/, '')
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    return host === 'localhost' || loopback(host) || isNamed.some((fits) => fits(host, port))
  }
}

type Fits = (host: string, port: string) => boolean

function exception(entry: string): Fits {
  if (entry === '') return () => false
  if (entry === '*') return () => true
  const [, address = '', bits] = /^([0-9a-f.:]+)\/(\d+)$/.exec(entry) ?? []
  if (isIP(address)) return ranges([[address, Number(bits)]])
  const [, name = '', wanted] = isIP(entry)
    ? [entry, entry]
    : (/^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [])
  const here = (port: string) => wanted === undefined || wanted === port
  const plain = bare(name).replace(/^\*(?=\.)/, '')
  if (isIP(plain)) return (host, port) => host === plain && here(port)
  if (plain === '') return () => false
  const isBelow = plain.startsWith('.')
  const domain = domainToASCII(plain.replace(/^\./, '')) || plain
  return (host, port) =>
    here(port) && (host.endsWith(`.${domain}`) || (!isBelow && host === domain))
}

function ranges(
  all: readonly (readonly [address: string, bits: number])[],
): (host: string) => boolean {
  const list = new BlockList()
  for (const [address, bits] of all) {
    const most = isIP(address) === 6 ? 128 : 32
    if (bits <= most) list.addSubnet(address, bits, familyOf(address))
  }
  return (host) => isIP(host) !== 0 && list.check(host, familyOf(host))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
