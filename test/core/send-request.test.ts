import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { sendRequest } from '../../src/core/send-request.ts'

const signal = new AbortController().signal

async function serverThat(answers: RequestListener) {
  const server = createServer(answers)
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: new URL(`http://127.0.0.1:${port}/`), connections: () => connections }
}

it.each(['DELETE', 'PATCH', 'POST'])('a %s has its body, and the size of that', async (method) => {
  const { url } = await serverThat(async (request, response) => {
    response.end(JSON.stringify([request.headers['content-length'], String(await buffer(request))]))
  })
  const { body } = await sendRequest(url, { method, headers: {}, body: '["é"]', signal })
  expect(JSON.parse(String(await buffer(body)))).toEqual(['6', '["é"]'])
})

it('an answer that came compressed is unpacked; a damaged one is none', async () => {
  const packed = gzipSync('told'.repeat(1000))
  const { url } = await serverThat(({ url, headers }, response) => {
    expect(headers['accept-encoding']).toBe('gzip')
    response.writeHead(200, { 'content-encoding': 'gzip' })
    response.end(url === '/whole' ? packed : packed.subarray(0, -10))
  })
  const get = (path: string) =>
    sendRequest(new URL(path, url), { method: 'GET', headers: {}, signal })
  expect(String(await buffer((await get('/whole')).body))).toBe('told'.repeat(1000))
  await expect(buffer((await get('/damaged')).body)).rejects.toThrow('unexpected end of file')
})

it.each([
  ['204', 204, {}],
  ['200 of no bytes', 200, { 'content-length': '0' }],
])('an answer without a body is none that is damaged: %s', async (_, status, headers) => {
  const { url } = await serverThat((_, response) =>
    response.writeHead(status, { ...headers, 'content-encoding': 'gzip' }).end(),
  )
  const answer = await sendRequest(url, { method: 'GET', headers: {}, signal })
  expect([answer.status, String(await buffer(answer.body))]).toEqual([status, ''])
})

it('the name of a compression is known in any case', async () => {
  const { url } = await serverThat((_, response) => {
    response.writeHead(200, { 'content-encoding': 'GZIP' }).end(gzipSync('told'))
  })
  const { body } = await sendRequest(url, { method: 'GET', headers: {}, signal })
  expect(String(await buffer(body))).toBe('told')
})

it('who answers in another protocol gave no answer', async () => {
  const { url } = await serverThat(({ socket }) => {
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: other']
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  })
  const asked = sendRequest(url, { method: 'GET', headers: {}, signal })
  await expect(asked).rejects.toThrow('no answer')
})

it('the next request takes the same connection', async () => {
  const { url, connections } = await serverThat((_, response) => response.end('told'))
  for (let times = 0; times < 3; times += 1) {
    const { body } = await sendRequest(url, { method: 'GET', headers: {}, signal })
    await buffer(body)
  }
  expect(connections()).toBe(1)
})

it.each([
  ['before it is sent', 0],
  ['while the answer is waited for', 1],
  ['within the answer', 2],
])('who stops it %s has the reason', async (_, when) => {
  const stop = new AbortController()
  const { url } = await serverThat((_, response) => {
    if (when === 2) response.write('begun')
    else stop.abort(new Error('stopped'))
  })
  if (when === 0) stop.abort(new Error('stopped'))
  const whole = async () => {
    const { body } = await sendRequest(url, { method: 'GET', headers: {}, signal: stop.signal })
    for await (const _ of body) stop.abort(new Error('stopped'))
  }
  await expect(whole()).rejects.toThrow(when === 2 ? 'aborted' : 'stopped')
})
