import type { ConnectS3, S3Port } from '../services/s3/port.ts'
import { lazyPort, once } from './lazy-port.ts'

/** A bucket whose SDK is loaded with the first request: a copy of nothing new never asks for one. */
export function lazyS3(connect: () => Promise<ConnectS3>): ConnectS3 {
  const connected = once(connect)
  return (key) => {
    const port = once(async () => (await connected())(key))
    const pages: S3Port['pages'] = async function* (...args) {
      yield* (await port()).pages(...args)
    }
    return lazyPort(port, { pages })
  }
}
