import { once } from 'node:events'
import { Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import { inUrl } from './connect-to.ts'
import { codeOf, Problem } from './problem.ts'
import type { FindProxy, ProxyServer } from './proxy.ts'

/** How this machine gets out where a proxy is named. */
export interface WayOut {
  /** Undefined where an address is reached without the proxy. */
  to(url: URL): Detour | undefined
}

/** The way through a proxy. Problems: `proxy-unreachable`, ProxyRefusal. */
export interface Detour {
  /** For requests to this address, in the place of Node's own. */
  readonly agent: Agent
  /** Bytes go to and from `host` unseen. */
  tunnel(host: string, port: number): Promise<Socket>
}

/** Milliseconds until a proxy has to have connected. */
const CONNECT_MS = 10_000

export function connectWayOut(find: FindProxy): WayOut {
  const known = new Map<string, Detour>()
  return {
    to(url) {
      const proxy = find(url)
      if (proxy === undefined) return undefined
      const isSecure = url.protocol === 'https:'
      const kind = `${isSecure} ${proxy.name}`
      const detour = known.get(kind) ?? {
        agent: isSecure ? new Tunnels(proxy) : new Forwarding(proxy),
        tunnel: (host, port) => openTunnel(proxy, host, port),
      }
      known.set(kind, detour)
      return detour
    },
  }
}

/** The proxy answered, and did not connect. */
export class ProxyRefusal extends Problem {
  readonly status: number

  constructor({ name }: ProxyServer, target: string, status: number) {
    super({
      code: 'proxy-refused',
      what: `The proxy ${name} did not let ${target} through.`,
      why: `It answered with status ${status}${MEANINGS[status] ?? ''}.`,
      next:
        status === 407
          ? 'Set them: export HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT, and run this again.'
          : `Ask whoever runs the proxy to allow ${target}. What is reached without it stands in NO_PROXY, with commas between.`,
    })
    this.status = status
  }
}

const MEANINGS: Readonly<Record<number, string>> = {
  403: ': it forbids this',
  407: ': it wants a name and a password, or other ones',
  502: ': it got no connection to there',
  503: ': it got no connection to there',
  504: ': it got no connection to there in time',
}

function unreachable({ name }: ProxyServer, error: unknown): Problem {
  return new Problem({
    code: 'proxy-unreachable',
    what: `The proxy ${name} could not be reached.`,
    why: `HTTPS_PROXY or HTTP_PROXY names it, and the connection ended with ${codeOf(error)}.`,
    next: 'Put the variable right, or unset it to go without a proxy, and run this again.',
  })
}

/** Over CONNECT (RFC 9110, section 9.3.6). */
function openTunnel(proxy: ProxyServer, host: string, port: number): Promise<Socket> {
  const target = `${inUrl(host)}:${port}`
  return new Promise((resolve, reject) => {
    const request = (proxy.isSecure ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      host: proxy.host,
      port: proxy.port,
      path: target,
      headers: { host: target, ...authorization(proxy) },
      agent: false,
    })
    const late = () => request.destroy(Object.assign(new Error('late'), { code: 'ETIMEDOUT' }))
    const timer = setTimeout(late, CONNECT_MS)
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(unreachable(proxy, error))
    })
    request.on('connect', ({ statusCode = 0 }, socket, head) => {
      clearTimeout(timer)
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy()
        reject(new ProxyRefusal(proxy, target, statusCode))
        return
      }
      if (head.length > 0) socket.unshift(head)
      resolve(socket as Socket)
    })
    request.end()
  })
}

function authorization({ credentials }: ProxyServer): Record<string, string> {
  return credentials === undefined ? {} : { 'proxy-authorization': credentials.reveal() }
}

/** As an agent hears of a connection, or of why there is none. */
type Made = ((error: Error | null, socket: Duplex) => void) | undefined

function tell(made: Made, coming: Promise<Duplex>): undefined {
  const failed = made as ((error: Error) => void) | undefined
  coming.then((socket) => made?.(null, socket), failed)
}

/** TLS through a tunnel. */
class Tunnels extends HttpsAgent {
  readonly #proxy: ProxyServer

  constructor(proxy: ProxyServer) {
    super({ keepAlive: true, maxSockets: 50 })
    this.#proxy = proxy
  }

  override createConnection(options: RequestOptions, made?: Made): undefined {
    const { host, port } = options
    const tunnel = openTunnel(this.#proxy, host ?? '', Number(port))
    const coming = tunnel.then((socket) => connect({ ...(options as ConnectionOptions), socket }))
    return tell(made, coming)
  }
}

/** The proxy is asked for the whole address (RFC 9112, section 3.2.2). */
class Forwarding extends Agent {
  readonly #proxy: ProxyServer

  constructor(proxy: ProxyServer) {
    super({ keepAlive: true, maxSockets: 50 })
    this.#proxy = proxy
  }

  /** Node's own name for what hands a request to a connection. */
  addRequest(request: ClientRequest, options: RequestOptions): void {
    // With the port that goes without saying a signature would be another.
    const port = Number(options.port) === 80 ? '' : `:${options.port}`
    request.path = `http://${inUrl(options.host ?? '')}${port}${request.path}`
    for (const [name, value] of Object.entries(authorization(this.#proxy))) {
      request.setHeader(name, value)
    }
    const { addRequest } = Agent.prototype as Agent & Pick<Forwarding, 'addRequest'>
    addRequest.call(this, request, options)
  }

  override createConnection(_: RequestOptions, made?: Made): undefined {
    return tell(made, openProxy(this.#proxy))
  }
}

async function openProxy(proxy: ProxyServer): Promise<Socket> {
  const { host, port, isSecure } = proxy
  const servername = isIP(host) ? '' : host
  const socket = isSecure ? connect({ host, port, servername }) : connectTcp({ host, port })
  try {
    await once(socket, isSecure ? 'secureConnect' : 'connect')
    return socket
  } catch (error) {
    throw unreachable(proxy, error)
  }
}
