import { createServer as createHttp, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConnectTo } from '../../../src/core/connect-to.ts'
import { createAuthority } from '../../../src/sandbox/certificate.ts'
import type { NameResolver } from '../../../src/services/public-web/client.ts'
import { connectPublicWeb, type WebCall } from '../../../src/services/public-web/client.ts'

const HOST = 'files.example.com'
const OTHER_PROTOCOL =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'
const authority = createAuthority()
const seen: { host: string | undefined; servername: unknown; url: string | undefined }[] = []

const pages: Record<string, (response: ServerResponse) => void> = {
  '/ok': (response) => {
    response.writeHead(
      200,
      [
        ['Access-Control-Allow-Origin', '*'],
        ['access-control-allow-origin', 'https://example.com'],
        ['cf-ray', '8f0-FRA'],
      ].flat(),
    )
    response.end('hello')
  },
  '/moved': (response) => response.writeHead(301, { location: '/ok' }).end(),
  '/range': (response) => response.writeHead(206, { 'content-range': 'bytes 0-0/5' }).end('h'),
  '/hang': () => {},
  '/endless': (response) => void response.end(Buffer.alloc(17_000_000, 32)),
  '/half': (response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half')
  },
  '/reset': (response) => void response.socket?.destroy(),
  '/other': ({ socket }) => void socket?.write(OTHER_PROTOCOL),
}

const listener: RequestListener = (request, response) => {
  const servername = (request.socket as { servername?: unknown }).servername
  seen.push({ host: request.headers.host, servername, url: request.url })
  const page = pages[new URL(request.url ?? '', 'http://x').pathname]
  if (page) page(response)
  else response.writeHead(404).end()
}

const plain = createHttp(listener)
const secure = createHttps(authority.issue(HOST), listener)
const portOf = (server: typeof plain | typeof secure) => (server.address() as AddressInfo).port

beforeAll(async () => {
  for (const server of [plain, secure]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  }
})
afterAll(() => {
  for (const server of [plain, secure]) {
    server.closeAllConnections()
    server.close()
  }
})

const never: NameResolver = {
  local: () => Promise.reject(new Error('The local resolver was asked.')),
  public: () => Promise.reject(new Error('The public resolver was asked.')),
}

function web(options: Partial<Parameters<typeof connectPublicWeb>[0]> = {}) {
  const route = parseConnectTo(`:443:127.0.0.1:${portOf(secure)}`)
  return connectPublicWeb({
    connectTo: route ? [route] : [],
    ca: authority.pem,
    resolver: never,
    timeoutMs: 5000,
    ...options,
  })
}

test('sees what is there: status, body, and every value of a header', async () => {
  const calls: WebCall[] = []
  const response = await web({ onCall: (call) => calls.push(call) }).fetch(`https://${HOST}/ok?a=1`)
  expect(response.status).toBe(200)
  expect(Buffer.from(response.body).toString()).toBe('hello')
  expect(response.header('Access-Control-Allow-Origin')).toEqual(['*', 'https://example.com'])
  expect(response.header('x-none')).toEqual([])
  expect(seen.at(-1)).toEqual({ host: HOST, servername: HOST, url: '/ok?a=1' })
  expect(calls).toEqual([
    {
      method: 'GET',
      path: `https://${HOST}/ok?a=1`,
      status: 200,
      ms: expect.any(Number),
      rayId: '8f0-FRA',
    },
  ])
})

test.each([
  ['/moved', {}, 301, ''],
  ['/range', { headers: { range: 'bytes=0-0' } }, 206, 'h'],
  ['/ok', { method: 'HEAD' }, 200, ''],
  ['/nothing', {}, 404, ''],
] as const)('%s %j', async (path, request, status, body) => {
  const response = await web().fetch(`https://${HOST}${path}`, request)
  expect([response.status, Buffer.from(response.body).toString()]).toEqual([status, body])
})

test('plain http, by an address or a host of this machine', async () => {
  const port = portOf(plain)
  const local: NameResolver = { ...never, local: async () => ['127.0.0.1'] }
  const client = web({ connectTo: [], resolver: local })
  for (const host of ['127.0.0.1', 'media.test']) {
    expect((await client.fetch(`http://${host}:${port}/ok`)).status).toBe(200)
    expect(seen.at(-1)?.host).toBe(`${host}:${port}`)
  }
})

test('a route for an address in the URL is followed, too', async () => {
  const route = parseConnectTo(`192.0.2.1:80:127.0.0.1:${portOf(plain)}`)
  const client = web({ connectTo: route ? [route] : [] })
  expect((await client.fetch('http://192.0.2.1/ok')).status).toBe(200)
  expect(seen.at(-1)?.host).toBe('192.0.2.1')
})

const routes: [string, string[], string | undefined][] = [
  ['fits host and port', [`${HOST}:443:127.0.0.1:PORT`], undefined],
  ['fits any host', ['::127.0.0.1:PORT'], undefined],
  ['is for another host', ['other.example:443:127.0.0.1:PORT'], 'web-dns'],
  ['is for another port', [`${HOST}:80:127.0.0.1:PORT`], 'web-dns'],
  [
    'comes second, the first for another host',
    ['other.example::192.0.2.1:9', '::127.0.0.1:PORT'],
    undefined,
  ],
]

test.each(routes)('a route that %s', async (_, texts, code) => {
  const connectTo = texts.flatMap(
    (text) => parseConnectTo(text.replace('PORT', `${portOf(secure)}`)) ?? [],
  )
  expect(connectTo).toHaveLength(texts.length)
  const nothing: NameResolver = { local: async () => [], public: async () => [] }
  const outcome = web({ connectTo, resolver: nothing }).fetch(`https://${HOST}/ok`)
  if (code === undefined) expect((await outcome).status).toBe(200)
  else await expect(outcome).rejects.toMatchObject({ code })
})

const no = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }))
const resolvers: [string, NameResolver, string[] | string][] = [
  ['local first', { local: async () => ['127.0.0.1'], public: no('ENOTFOUND') }, '200'],
  [
    'public where local says ENOTFOUND',
    { local: no('ENOTFOUND'), public: async () => ['127.0.0.1'] },
    '200',
  ],
  [
    'public where local says ENODATA',
    { local: no('ENODATA'), public: async () => ['127.0.0.1'] },
    '200',
  ],
  [
    'public where local is broken',
    { local: no('EAI_AGAIN'), public: async () => ['127.0.0.1'] },
    '200',
  ],
  ['nobody knows', { local: no('ENOTFOUND'), public: no('ENOTFOUND') }, 'Neither'],
  [
    'nobody can be asked',
    { local: no('EAI_AGAIN'), public: no('ECONNREFUSED') },
    'EAI_AGAIN, ECONNREFUSED',
  ],
]

test.each(resolvers)('names: %s', async (_, resolver, expected) => {
  const work = web({ connectTo: [], resolver }).fetch(`http://${HOST}:${portOf(plain)}/ok`)
  const outcome = await work.then(
    ({ status }) => String(status),
    (error: { code: string; why: string }) => `${error.code} ${error.why}`,
  )
  expect(outcome).toContain(expected)
  expect(outcome.startsWith('web-dns')).toBe(expected !== '200')
})

test.each([
  ['a certificate nobody vouches for', `https://${HOST}/ok`, { ca: undefined }, 'web-tls'],
  ['a certificate for another host', 'https://other.example/ok', {}, 'web-tls'],
  ['more than 16 MB', `https://${HOST}/endless`, {}, 'web-too-large'],
  ['silence', `https://${HOST}/hang`, { timeoutMs: 200 }, 'web-timeout'],
  ['half an answer', `https://${HOST}/half`, { timeoutMs: 200 }, 'web-timeout'],
  ['a connection that breaks', `https://${HOST}/reset`, {}, 'web-refused'],
  ['another protocol', `https://${HOST}/other`, {}, 'web-refused'],
])('%s', async (_, url, options, code) => {
  const calls: WebCall[] = []
  const client = web({ ...options, onCall: (call) => calls.push(call) })
  await expect(client.fetch(url)).rejects.toMatchObject({ code, next: expect.any(String) })
  expect(calls.map(({ status }) => status)).toEqual(['failed'])
})

test('https spoken to a server of plain http', async () => {
  const route = parseConnectTo(`::127.0.0.1:${portOf(plain)}`)
  const client = web({ connectTo: route ? [route] : [] })
  await expect(client.fetch(`https://${HOST}/ok`)).rejects.toMatchObject({ code: 'web-tls' })
})

test('nobody listens', async () => {
  const server = createHttp()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  await new Promise((resolve) => server.close(resolve))
  const work = web().fetch(`http://127.0.0.1:${port}/`)
  await expect(work).rejects.toMatchObject({
    code: 'web-refused',
    why: expect.stringContaining('ECONNREFUSED'),
  })
})

test('what is sent behind another answer has its connection before, and is not sent where that fails', async () => {
  const calls: WebCall[] = []
  const visitor = web({ onCall: (call) => calls.push(call) })
  let [connections, asked] = [0, seen.length]
  secure.on('secureConnection', () => {
    connections += 1
  })
  let answered = () => {}
  const first = new Promise<void>((resolve) => {
    answered = resolve
  })
  const behind = visitor.fetch(`https://${HOST}/ok`, { after: first })
  while (connections === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(seen).toHaveLength(asked)
  answered()
  expect((await behind).status).toBe(200)
  asked = seen.length
  const failed = new Error('The first one failed.')
  const dropped = visitor.fetch(`https://${HOST}/ok`, { after: Promise.reject(failed) })
  await expect(dropped).rejects.toBe(failed)
  expect(seen).toHaveLength(asked)
  expect(calls.map(({ status }) => status)).toEqual([200])
})
