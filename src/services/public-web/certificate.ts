import { connect, type SecureContext, type TLSSocket } from 'node:tls'
import type { Certificate } from './port.ts'

interface Place {
  readonly host: string
  /** The first is asked. */
  readonly addresses: readonly string[]
  readonly port: number
  readonly timeoutMs: number
  readonly trust: SecureContext | undefined
}

/**
 * Shakes hands without sending a request, so that a certificate nobody trusts can be looked at,
 * too. Rejects with the socket's error when no handshake comes about.
 */
export function readCertificate(place: Place): Promise<Certificate> {
  const { host, addresses, port, timeoutMs, trust } = place
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: addresses[0],
      port,
      servername: host,
      rejectUnauthorized: false,
      ...(trust ? { secureContext: trust } : {}),
    })
    socket.setTimeout(timeoutMs, () => {
      socket.destroy(Object.assign(new Error('No handshake in time.'), { code: 'ETIMEDOUT' }))
    })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(describe(socket))
      socket.destroy()
    })
  })
}

function describe(socket: TLSSocket): Certificate {
  const { valid_to, issuer } = socket.getPeerCertificate()
  return {
    validTo: new Date(valid_to),
    issuer: [issuer?.O, issuer?.CN].flat().find((name) => name) ?? 'unknown',
    fault: socket.authorized ? undefined : reason(socket.authorizationError),
  }
}

/** Typed as an Error, and the code alone in practice (Node docs, tls.TLSSocket). */
function reason(error: unknown): string {
  if (typeof error === 'string') return error
  return (error as NodeJS.ErrnoException | null)?.code ?? 'not trusted'
}
