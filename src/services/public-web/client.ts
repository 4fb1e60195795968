import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { ConnectTo } from '../../core/connect-to.ts'
import { readCertificate } from './certificate.ts'
import { createResolver, findAddresses, type NameResolver } from './find-address.ts'
import type { PublicWebPort, WebRequest, WebResponse } from './port.ts'
import { toProblem } from './trouble.ts'

export interface PublicWebOptions {
  /** The first that fits is used. */
  readonly connectTo: readonly ConnectTo[]
  /** PEM of a certificate authority, trusted besides Node's own list. */
  readonly ca?: string | undefined
  readonly onCall?: ((call: WebCall) => void) | undefined
  readonly resolver?: NameResolver | undefined
  /** Milliseconds for a whole request; 20,000 unless told. */
  readonly timeoutMs?: number | undefined
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

interface Target {
  readonly url: URL
  readonly addresses: readonly string[]
  readonly port: number
}

/** No connection is kept: each request begins anew, as a stranger's would. */
export function connectPublicWeb(options: PublicWebOptions): PublicWebPort {
  const { timeoutMs = 20_000, onCall } = options
  const resolver = options.resolver ?? createResolver(timeoutMs)

  async function locate(url: URL): Promise<Target> {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    const route = options.connectTo.find((known) => {
      return (known.host === '' || known.host === host) && (known.port || port) === port
    })
    const addresses = await findAddresses(route?.toHost ?? host, resolver)
    return { url, addresses, port: Number(route?.toPort || port) }
  }

  return {
    async fetch(text, wish = {}) {
      const url = new URL(text)
      const method = wish.method ?? 'GET'
      const began = performance.now()
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
        report('failed')
        throw toProblem(error, url)
      }
    },

    addresses: async (host) => (await locate(new URL(`https://${host}`))).addresses,

    async certificate(host) {
      const url = new URL(`https://${host}`)
      try {
        const { addresses, port } = await locate(url)
        const trust = trusting(options.ca)
        return await readCertificate({ host, addresses, port, timeoutMs, trust })
      } catch (error) {
        throw toProblem(error, url)
      }
    },
  }
}

function visit(
  { url, addresses, port }: Target,
  { method = 'GET', headers = {} }: WebRequest,
  { timeoutMs, trust }: { timeoutMs: number; trust: SecureContext | undefined },
): Promise<WebResponse> {
  const secure = url.protocol === 'https:'
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const signal = AbortSignal.timeout(timeoutMs)
  const request = (secure ? httpsRequest : httpRequest)({
    method,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, accept: '*/*', 'user-agent': 'mastodon-r2', ...headers },
    host: isIP(name) ? addresses[0] : name,
    port,
    lookup: always(addresses),
    agent: false,
    ...(secure && !isIP(name) ? { servername: name } : {}),
    ...(secure && trust ? { secureContext: trust } : {}),
    signal,
  })
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error)
    request.on('error', fail)
    request.on('response', (response) => read(response).then(resolve, fail))
    request.end()
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

async function read(response: IncomingMessage): Promise<WebResponse> {
  const { rawHeaders, statusCode = 0 } = response
  const chunks: Uint8Array[] = []
  for await (const chunk of response) chunks.push(chunk as Uint8Array)
  return {
    status: statusCode,
    body: new Uint8Array(Buffer.concat(chunks)),
    header(name) {
      const wanted = name.toLowerCase()
      return rawHeaders.filter((_, index) => {
        return index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted
      })
    },
  }
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
