import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer as createTcp, type Server, type Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { parseConnectTo } from '../../../src/core/connect-to.ts'
import { createAuthority } from '../../../src/sandbox/certificate.ts'
import { connectPublicWeb } from '../../../src/services/public-web/client.ts'

const HOST = 'files.example.com'
const authority = createAuthority()
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A first record of TLS that never ends. */
function trickle(socket: Socket): void {
  socket.on('error', () => undefined)
  socket.write(Buffer.from([22, 3, 3, 64, 0, 2]))
  const timer = setInterval(() => socket.write(Buffer.alloc(1)), 20)
  socket.on('close', () => clearInterval(timer))
}

async function webAt(server: Server, ca = authority.pem) {
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const route = parseConnectTo(`::127.0.0.1:${port}`)
  return connectPublicWeb({ connectTo: route ? [route] : [], ca, timeoutMs: 2000 })
}

const showing = (host: string) => createTls(authority.issue(host), (socket) => socket.end())

test('a certificate that is trusted', async () => {
  const web = await webAt(showing(HOST))
  const { validTo, issuer, fault } = await web.certificate(HOST)
  expect(fault).toBeUndefined()
  expect(issuer).toContain('mastodon-r2 sandbox')
  const days = (validTo.getTime() - Date.now()) / 86_400_000
  expect(days).toBeGreaterThan(28)
  expect(days).toBeLessThan(31)
})

test.each([
  ['an unknown authority', HOST, createAuthority().pem, /UNABLE_TO|SELF_SIGNED/],
  ['another name', 'other.example.com', authority.pem, /ALTNAME/],
])('one of %s is shown with its fault', async (_, host, ca, expected) => {
  const web = await webAt(showing(host), ca)
  const { fault, validTo } = await web.certificate(HOST)
  expect(fault).toMatch(expected)
  expect(validTo.getTime()).toBeGreaterThan(Date.now())
})

test.each([
  ['no certificate at all', () => createTls({}), 'web-tls'],
  ['a handshake that trickles in', () => createTcp(trickle), 'web-timeout'],
  ['no handshake', () => createTcp(() => undefined), 'web-timeout'],
  ['a closed door', () => createTcp((socket) => socket.destroy()), /^web-/],
])('%s is a problem', async (_, server, code) => {
  const web = await webAt(server())
  await expect(web.certificate(HOST)).rejects.toMatchObject({
    code: typeof code === 'string' ? code : expect.stringMatching(code),
  })
})

test('of a host of which one address is dead, the other one is asked', async () => {
  const server = showing(HOST)
  await webAt(server)
  const { port } = server.address() as AddressInfo
  const local = async () => ['127.0.0.2', '127.0.0.1']
  const route = parseConnectTo(`::two.example:${port}`)
  const web = connectPublicWeb({
    connectTo: route ? [route] : [],
    ca: authority.pem,
    resolver: { local, public: local },
  })
  expect((await web.certificate(HOST)).fault).toBeUndefined()
})

test('a name that leads nowhere', async () => {
  const nobody = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
  const resolver = { local: nobody, public: nobody }
  const web = connectPublicWeb({ connectTo: [], resolver })
  await expect(web.certificate(HOST)).rejects.toMatchObject({ code: 'web-dns' })
  await expect(web.addresses(HOST)).rejects.toMatchObject({ code: 'web-dns' })
})

test('the addresses of a name', async () => {
  const local = async () => ['192.0.2.1', '2001:db8::1']
  const web = connectPublicWeb({ connectTo: [], resolver: { local, public: local } })
  expect(await web.addresses(HOST)).toEqual(['192.0.2.1', '2001:db8::1'])
})
