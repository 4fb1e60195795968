import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { parseConnectTo } from '../../src/core/connect-to.ts'
import { proxiesOf } from '../../src/core/proxy.ts'
import { Secret } from '../../src/core/secret.ts'
import { sendRequest } from '../../src/core/send-request.ts'
import { connectWayOut, type WayOut } from '../../src/core/through-proxy.ts'
import { connectPublicWeb } from '../../src/services/public-web/client.ts'
import { connectS3 } from '../../src/services/s3/client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A proxy that answers itself, and notes what it was asked. */
async function proxyThatNotes(status = 200) {
  const asked: string[] = []
  const server = createServer(({ method, url, headers }, response) => {
    asked.push(`${method} ${url} ${headers['proxy-authorization']}`)
    response.writeHead(status).end()
  })
  server.on('connect', ({ url }, socket) => {
    asked.push(`CONNECT ${url}`)
    socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { asked, port: (server.address() as AddressInfo).port }
}

function wayOutAt(port: number, credentials = ''): WayOut {
  const address = `http://${credentials}127.0.0.1:${port}`
  const find = proxiesOf({ HTTP_PROXY: address, HTTPS_PROXY: address })
  if (!find) throw new Error('There is a proxy.')
  return connectWayOut(find)
}

const key = { accessKeyId: 'a'.repeat(32), secretAccessKey: new Secret('b'.repeat(64)) }

test.each([
  ['http://s3.example:9000', 'http://s3.example:9000/media/'],
  ['http://s3.example', 'http://s3.example/media/'],
])('without TLS a proxy is asked for the whole address: %s', async (endpoint, url) => {
  const { asked, port } = await proxyThatNotes()
  const wayOut = wayOutAt(port, 'me:hush@')
  await connectS3({ endpoint, bucket: 'media', key, wayOut }).headBucket()
  const credentials = `Basic ${Buffer.from('me:hush').toString('base64')}`
  expect(asked).toEqual([`HEAD ${url} ${credentials}`])
})

const signal = new AbortController().signal
const get = { method: 'GET', headers: {}, signal }

function asking(wayOut: WayOut, text: string) {
  const url = new URL(text)
  return sendRequest(url, get, wayOut.to(url)?.agent)
}

test.each([403, 407, 503])(
  'a proxy that answers %i is named, not what is behind it',
  async (status) => {
    const { port } = await proxyThatNotes(status)
    const wayOut = wayOutAt(port)
    const refusal = { code: 'proxy-refused', status }
    await expect(asking(wayOut, 'https://a.example/')).rejects.toMatchObject(refusal)
    const s3 = connectS3({ endpoint: 'https://s3.example', bucket: 'media', key, wayOut })
    await expect(s3.headBucket()).rejects.toMatchObject(refusal)
    const web = connectPublicWeb({ connectTo: [], wayOut })
    // A host that is new is not there for the proxy either, and may be waited for.
    const code = status === 503 ? 'web-behind-proxy' : 'proxy-refused'
    await expect(web.fetch('https://files.example.com/')).rejects.toMatchObject({ code })
    await expect(web.certificate('files.example.com')).rejects.toMatchObject({ code })
  },
)

test('where to connect instead holds behind a proxy, too', async () => {
  const { asked, port } = await proxyThatNotes(403)
  const route = parseConnectTo('files.example.com:443:[2001:db8::7]:8443')
  const web = connectPublicWeb({ connectTo: route ? [route] : [], wayOut: wayOutAt(port) })
  await web.fetch('https://files.example.com/').catch(() => undefined)
  expect(asked).toEqual(['CONNECT [2001:db8::7]:8443'])
  expect(await web.addresses('files.example.com')).toBeUndefined()
})

test('a proxy that is not there', async () => {
  const { port } = await proxyThatNotes()
  servers[0]?.close()
  const wayOut = wayOutAt(port)
  for (const url of ['https://a.example/', 'http://a.example/']) {
    await expect(asking(wayOut, url)).rejects.toMatchObject({ code: 'proxy-unreachable' })
  }
})
