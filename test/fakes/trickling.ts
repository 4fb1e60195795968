import { type AddressInfo, connect, createServer } from 'node:net'

export interface Trickling {
  /** 127.0.0.1 and its port. */
  readonly place: string
  /** Bytes that went out one by one. */
  readonly bytes: number
  close(): void
}

/**
 * A line to a server on this machine whose answers come a byte a second, from the first connection on
 * which `from` was asked for; from the beginning unless told.
 */
export async function trickling(address: string, from = ''): Promise<Trickling> {
  const port = Number(/:(\d+)(?:\/|$)/.exec(address)?.[1])
  const open = new Set<{ destroy(): void }>()
  let bytes = 0
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => undefined)
    }
    let isSlow = from === ''
    near.on('data', (chunk: Buffer) => {
      isSlow ||= chunk.includes(from)
      far.write(chunk)
    })
    let waiting = Buffer.alloc(0)
    far.on('data', (chunk: Buffer) => {
      if (isSlow) waiting = Buffer.concat([waiting, chunk])
      else near.write(chunk)
    })
    const timer = setInterval(() => {
      if (waiting.length === 0) return
      near.write(waiting.subarray(0, 1))
      waiting = waiting.subarray(1)
      bytes += 1
    }, 1000)
    near.on('close', () => {
      clearInterval(timer)
      far.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    place: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get bytes() {
      return bytes
    },
    close() {
      for (const socket of open) socket.destroy()
      server.close()
    },
  }
}
