import { Resolver, lookup as systemLookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import {
  connect,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import { readCapped } from '../../core/capped.ts'
import { clockTrouble } from '../../core/clock.ts'
import { bare, type ConnectTo, inUrl } from '../../core/connect-to.ts'
import { Problem } from '../../core/problem.ts'
import { noAnswer } from '../../core/send-request.ts'
import { type Detour, ProxyRefusal, type WayOut } from '../../core/through-proxy.ts'
import type { Certificate, PublicWebPort, WebRequest, WebResponse } from './port.ts'

interface Place {
  readonly target: Target
  readonly host: string
  readonly timeoutMs: number
  readonly trust: SecureContext | undefined
}

/**
 * Shakes hands without sending a request, so that a certificate nobody trusts can be looked at,
 * too. Rejects with the socket's error when no handshake comes about.
 */
async function readCertificate({ target, host, timeoutMs, trust }: Place): Promise<Certificate> {
  const { name, addresses, port, detour } = target
  const tunnel = await detour?.tunnel(name, port)
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...(tunnel ? { socket: tunnel } : { host: name, port, lookup: always(addresses) }),
      servername: host,
      rejectUnauthorized: false,
      ...(trust ? { secureContext: trust } : {}),
    })
    const late = Object.assign(new Error('No handshake in time.'), { code: 'ETIMEDOUT' })
    const timer = setTimeout(() => socket.destroy(late), timeoutMs)
    socket.on('close', () => clearTimeout(timer))
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(describe(socket))
      socket.destroy()
    })
  })
}

function describe(socket: TLSSocket): Certificate {
  const { valid_to, issuer } = socket.getPeerCertificate()
  return {
    validTo: new Date(valid_to),
    issuer: [issuer?.O, issuer?.CN].flat().find((name) => name) ?? 'unknown',
    fault: socket.authorized ? undefined : reason(socket.authorizationError),
  }
}

/** Typed as an Error, and the code alone in practice (Node docs, tls.TLSSocket). */
function reason(error: unknown): string {
  if (typeof error === 'string') return error
  return (error as NodeJS.ErrnoException | null)?.code ?? 'not trusted'
}

/** Names to addresses; each may throw, with ENOTFOUND or ENODATA when there is none. */
export interface NameResolver {
  /** As this machine sees it. */
  local(host: string): Promise<string[]>
  /** As the public sees it, past a local cache that remembers a "no". */
  public(host: string): Promise<string[]>
}

const NOT_THERE = new Set(['ENOTFOUND', 'ENODATA', 'NXDOMAIN', 'EAI_NODATA', 'EAI_NONAME'])
const PUBLIC_SERVERS = ['1.1.1.1', '8.8.8.8', '2606:4700:4700::1111', '2001:4860:4860::8888']

/**
 * Addresses of a host: those of this machine's resolver, else of the public ones. Throws Problem
 * `web-dns`.
 */
async function findAddresses(host: string, resolver: NameResolver): Promise<string[]> {
  if (isIP(host)) return [host]
  const faults: string[] = []
  for (const ask of [resolver.local, resolver.public]) {
    try {
      const addresses = await ask(host)
      if (addresses.length > 0) return addresses
    } catch (error) {
      faults.push((error as NodeJS.ErrnoException).code ?? 'unknown')
    }
  }
  throw noAddress(host, faults)
}

function createResolver(timeoutMs: number): NameResolver {
  return {
    async local(host) {
      return (await systemLookup(host, { all: true })).map(({ address }) => address)
    },
    async public(host) {
      const resolver = new Resolver({ timeout: Math.min(timeoutMs, 3000), tries: 2 })
      resolver.setServers(PUBLIC_SERVERS)
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const addresses = answers.flatMap((answer) =>
        answer.status === 'fulfilled' ? answer.value : [],
      )
      const [first] = answers
      if (addresses.length === 0 && first.status === 'rejected') throw first.reason
      return addresses
    },
  }
}

function noAddress(host: string, faults: string[]): Problem {
  const unknown = faults.every((fault) => NOT_THERE.has(fault))
  return new Problem({
    code: 'web-dns',
    what: `The name ${host} leads nowhere.`,
    why: unknown
      ? "Neither this machine's name server nor a public one has an address for it."
      : `The name servers could not be asked (${[...new Set(faults)].join(', ')}).`,
    next: unknown
      ? "A new name takes a few minutes to be known: run this again then. If it stays, look at the domain's DNS in the Cloudflare dashboard."
      : "Check this machine's name server (/etc/resolv.conf) and network, and run this again.",
  })
}

/** What the network did to a visitor, for the admin. Bugs come back as they are. */
function toProblem(error: unknown, url: URL): unknown {
  if (error instanceof ProxyRefusal && error.status >= 500) return notThere(error, url)
  if (error instanceof Problem || !(error instanceof Error)) return error
  const code = connectionCode(error)
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || code === 'ETIMEDOUT') {
    return new Problem({
      code: 'web-timeout',
      what: `${url.host} did not answer in time.`,
      why: 'The connection was begun, and nothing or only a part came back.',
      next: `Try \`curl -v ${url.origin}\`, and run this again.`,
    })
  }
  if (code === undefined) return error
  if (isTls(code)) {
    const { why, next } = clockTrouble(code) ?? {
      why: `The connection ended with ${code}. A new domain may have no certificate yet, or something stands in between.`,
      next: 'Wait some minutes and run this again. If it stays, look at the custom domain of the bucket in the Cloudflare dashboard: its certificate must be active.',
    }
    return new Problem({
      code: 'web-tls',
      what: `No trusted HTTPS connection to ${url.host} came about.`,
      why,
      next,
    })
  }
  return new Problem({
    code: 'web-refused',
    what: `${url.host} could not be reached.`,
    why: `The connection ended with ${code}.`,
    next: `Try \`curl -v ${url.origin}\`. If that works elsewhere, a firewall of this machine is in the way.`,
  })
}

/** A name that is new is not known to the proxy either. */
function notThere({ why, next }: ProxyRefusal, { host }: URL): Problem {
  return new Problem({
    code: 'web-behind-proxy',
    what: `${host} could not be reached through the proxy.`,
    why,
    next,
  })
}

/** Where several addresses were tried, the errors are inside. */
function connectionCode(error: Error): string | undefined {
  const first = error instanceof AggregateError ? error.errors[0] : error
  const { code } = first as NodeJS.ErrnoException
  return typeof code === 'string' ? code : undefined
}

function isTls(code: string): boolean {
  return (
    /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|SSL|TLS|EPROTO/.test(code) ||
    code === 'HOSTNAME_MISMATCH'
  )
}

export interface PublicWebOptions {
  /** The first that fits is used. */
  readonly connectTo: readonly ConnectTo[]
  /** PEM of a certificate authority, trusted besides Node's own list. */
  readonly ca?: string | undefined
  readonly onCall?: ((call: WebCall) => void) | undefined
  readonly resolver?: NameResolver | undefined
  /** Milliseconds for a whole request; 20,000 unless told. */
  readonly timeoutMs?: number | undefined
  readonly wayOut?: WayOut | undefined
}

/** One call as `--verbose` shows it. */
export interface WebCall {
  readonly method: string
  /** The whole URL: these requests hold no secret. */
  readonly path: string
  readonly status: number | 'failed'
  readonly ms: number
  readonly rayId?: string
}

/** Where a request goes. */
interface Target {
  readonly url: URL
  readonly name: string
  /** One after the other is tried; none through a proxy, which looks names up itself. */
  readonly addresses: readonly string[]
  readonly port: number
  readonly detour: Detour | undefined
}

/** No connection is kept: each request begins anew, as a stranger's would. */
export function connectPublicWeb(options: PublicWebOptions): PublicWebPort {
  const { timeoutMs = 20_000, onCall } = options
  const resolver = options.resolver ?? createResolver(timeoutMs)

  async function locate(url: URL): Promise<Target> {
    const host = bare(url.hostname)
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    const route = options.connectTo.find((known) => {
      return (known.host === '' || known.host === host) && (known.port || port) === port
    })
    const name = route?.toHost ?? host
    const target = { url, name, port: Number(route?.toPort || port) }
    const detour = options.wayOut?.to(new URL(`${url.protocol}//${inUrl(name)}:${target.port}`))
    const addresses = detour ? [] : await findAddresses(name, resolver)
    return { ...target, addresses, detour }
  }

  return {
    async fetch(text, wish = {}) {
      const url = new URL(text)
      const method = wish.method ?? 'GET'
      let began = performance.now()
      let isDropped = false
      const begin = () => {
        began = performance.now()
      }
      wish.after?.then(begin, () => {
        isDropped = true
      })
      const report = (status: number | 'failed', rayId?: string) => {
        const ms = Math.round(performance.now() - began)
        onCall?.({ method, path: url.href, status, ms, ...(rayId ? { rayId } : {}) })
      }
      try {
        const response = await visit(await locate(url), wish, {
          timeoutMs,
          trust: trusting(options.ca),
        })
        report(response.status, response.header('cf-ray')[0])
        return response
      } catch (error) {
        if (isDropped) throw error
        report('failed')
        throw toProblem(error, url)
      }
    },

    async addresses(host) {
      const { addresses, detour } = await locate(new URL(`https://${host}`))
      return detour ? undefined : addresses
    },

    async certificate(host) {
      const url = new URL(`https://${host}`)
      try {
        const trust = trusting(options.ca)
        return await readCertificate({ target: await locate(url), host, timeoutMs, trust })
      } catch (error) {
        throw toProblem(error, url)
      }
    },
  }
}

function visit(
  { url, name: to, addresses, port, detour }: Target,
  { method = 'GET', headers = {}, after }: WebRequest,
  { timeoutMs, trust }: { timeoutMs: number; trust: SecureContext | undefined },
): Promise<WebResponse> {
  const secure = url.protocol === 'https:'
  const name = bare(url.hostname)
  // What it waits for has a time limit of its own.
  const signal = AbortSignal.timeout(after ? 2 * timeoutMs : timeoutMs)
  const request = (secure ? httpsRequest : httpRequest)({
    method,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, accept: '*/*', 'user-agent': 'mastodon-r2', ...headers },
    port,
    ...(detour
      ? { host: to, agent: detour.agent }
      : { host: isIP(name) ? addresses[0] : name, lookup: always(addresses), agent: false }),
    ...(secure && !isIP(name) ? { servername: name } : {}),
    ...(secure && trust ? { secureContext: trust } : {}),
    signal,
  })
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error)
    request.on('error', fail)
    const unanswered = () => fail(noAnswer())
    request.on('close', unanswered)
    request.on('response', (response) => {
      request.off('close', unanswered)
      read(response, url.host).then(resolve, fail)
    })
    if (after === undefined) request.end()
    else {
      after.then(
        () => request.end(),
        (error) => request.destroy(error),
      )
    }
  })
}

/** By their certificate authority: each takes some 40 ms, as Node reads its whole list for it. */
const contexts = new Map<string, SecureContext>()

/** undefined: Node's own choice, which is better wherever nothing has to be added. */
function trusting(ca: string | undefined): SecureContext | undefined {
  if (ca === undefined) return undefined
  const known = contexts.get(ca) ?? createSecureContext({ ca: [...rootCertificates, ca] })
  contexts.set(ca, known)
  return known
}

async function read(response: IncomingMessage, host: string): Promise<WebResponse> {
  const { rawHeaders, statusCode = 0 } = response
  const body = await readCapped(response, () => tooLarge(host))
  return {
    status: statusCode,
    body: new Uint8Array(body),
    header(name) {
      const wanted = name.toLowerCase()
      return rawHeaders.filter((_, index) => {
        return index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted
      })
    },
  }
}

function tooLarge(host: string): Problem {
  return new Problem({
    code: 'web-too-large',
    what: `${host} answers with more than 16 MB where little is expected.`,
    why: 'It was not read further. Another program than Mastodon or R2 may answer there.',
    next: `Look at what answers: curl -sI https://${host}/`,
  })
}

/** Answers the socket's question for an address with what is known already. */
function always(addresses: readonly string[]): LookupFunction {
  const known = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, { all }, callback) => {
    const [first] = known
    if (all) callback(null, known)
    else callback(null, first?.address ?? '', first?.family ?? 4)
  }
}
