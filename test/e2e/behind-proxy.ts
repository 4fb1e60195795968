import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { createServer as createTls } from 'node:tls'
import { createAuthority } from '../../src/sandbox/certificate.ts'
import type { Stage } from './stage.ts'

export const API = 'api.cloudflare.example'
export const S3 = 'r2.example'
const CREDENTIALS = { name: 'visitor', password: 'p@ss-4711' }

/** A network in which the sandbox's names lead somewhere for the proxy alone. */
export interface BehindProxy {
  /** `host:port` of every CONNECT that was let through. */
  readonly tunnels: string[]
  /** Of every CONNECT that was not, with the answer. */
  readonly refused: string[]
  /** What a person would have exported. */
  readonly env: Readonly<Record<string, string>>
  /** In place of the sandbox's own flags. */
  readonly flags: readonly string[]
  readonly password: string
  close(): Promise<void>
}

/** Puts Cloudflare's API and S3 behind TLS, and all of it behind a proxy that wants a password. */
export async function behindProxy({ sandbox }: Stage): Promise<BehindProxy> {
  const open = new Set<Socket>()
  const servers: Server[] = []
  const listen = async (server: Server) => {
    servers.push(server)
    server.on('connection', (socket: Socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const authority = createAuthority()
  const overTls = (host: string, to: string) => {
    const port = Number(new URL(to).port)
    return listen(
      createTls(authority.issue(host), (socket) => splice(socket, connect(port, '127.0.0.1'))),
    )
  }
  const [, , , publicPort = ''] = sandbox.connectTo[0]?.split(':') ?? []
  const places = new Map([
    [`${API}:443`, await overTls(API, sandbox.apiUrl)],
    [`${S3}:443`, await overTls(S3, sandbox.s3Url())],
  ])
  const tunnels: string[] = []
  const refused: string[] = []
  const proxy = createServer((_, response) => response.writeHead(403).end())
  const wanted = `Basic ${Buffer.from(`${CREDENTIALS.name}:${CREDENTIALS.password}`).toString('base64')}`
  proxy.on('connect', ({ url = '', headers }: IncomingMessage, socket: Socket, head: Buffer) => {
    const port =
      places.get(url) ?? (url.endsWith('.example.com:443') ? Number(publicPort) : undefined)
    const status = headers['proxy-authorization'] === wanted ? (port ? 200 : 503) : 407
    if (status !== 200) {
      refused.push(`${url} ${status}`)
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    tunnels.push(url)
    const to = connect(port ?? 0, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (head.length > 0) to.write(head)
      splice(socket, to)
    })
  })
  const proxyPort = await listen(proxy)
  const caFile = join(dirname(sandbox.caFile), 'both-ca.pem')
  writeFileSync(caFile, `${readFileSync(sandbox.caFile, 'utf8')}\n${authority.pem}`)
  const { name, password } = CREDENTIALS
  return {
    tunnels,
    refused,
    password,
    flags: ['--s3-endpoint-url', `https://${S3}`],
    env: {
      CLOUDFLARE_BASE_URL: `https://${API}/client/v4`,
      CLOUDFLARE_API_TOKEN: sandbox.bootstrapToken.reveal(),
      NODE_EXTRA_CA_CERTS: caFile,
      SSL_CERT_FILE: caFile,
      HTTPS_PROXY: `http://${name}:${encodeURIComponent(password)}@127.0.0.1:${proxyPort}`,
    },
    async close() {
      for (const socket of open) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
    },
  }
}

function splice(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy())
    from.pipe(to)
  }
}
