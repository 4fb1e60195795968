import type { ConnectS3, S3Port } from '../services/s3/port.ts'

/** A bucket whose SDK is loaded with the first request: a copy of nothing new never asks for one. */
export function lazyS3(connect: () => Promise<ConnectS3>): ConnectS3 {
  let connecting: Promise<ConnectS3> | undefined
  return (key) => {
    let opened: Promise<S3Port> | undefined
    const open = () => {
      connecting ??= connect()
      opened ??= connecting.then((connected) => connected(key))
      return opened
    }
    const pages: S3Port['pages'] = async function* (...args) {
      yield* (await open()).pages(...args)
    }
    return new Proxy({} as S3Port, {
      get: (_, name) => {
        if (name === 'pages') return pages
        // Looked for by whoever awaits the port itself.
        if (name === 'then') return undefined
        return async (...args: unknown[]) => {
          const port = await open()
          const method = Reflect.get(port, name) as (...given: unknown[]) => unknown
          return method.apply(port, args)
        }
      },
    })
  }
}
