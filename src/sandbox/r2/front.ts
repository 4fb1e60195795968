import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answer, doorway, type SandboxContext } from '../doorway.ts'
import { authenticate, type Identity } from './authenticate.ts'
import { authorize, copySourceOf } from './authorize.ts'
import type { EmulatorPool } from './emulator-pool.ts'
import { forward } from './forward.ts'
import { listBuckets } from './listing.ts'
import { codeOfStatus, errorXml, S3Error } from './s3-error.ts'
import { readS3Request } from './s3-request.ts'

/** The S3 endpoint of one jurisdiction. */
export interface Front {
  /** `http://127.0.0.1:PORT`; path style. */
  readonly url: string
  close(): Promise<void>
}

export interface FrontOptions {
  readonly jurisdiction: string
  readonly pool: EmulatorPool
  /** R2 itself sends no `100 Continue`: true behaves so, false spares clients the wait. */
  readonly silentContinue?: boolean
}

/** Starts an S3 endpoint on a free port of 127.0.0.1: minted keys, R2's answers, the emulator's objects. */
export async function startFront(context: SandboxContext, options: FrontOptions): Promise<Front> {
  const listener = doorway(
    {
      name: 's3',
      answer: (message) => answer(context, options, message).catch(refusal),
      refuse: (status) =>
        xmlAnswer(status, errorXml(codeOfStatus(status), 'This fault was asked for.')),
    },
    context,
  )
  const server = createServer(listener)
  if (options.silentContinue) server.on('checkContinue', listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  context: SandboxContext,
  { jurisdiction, pool }: FrontOptions,
  message: IncomingMessage,
): Promise<Answer> {
  const { world, clock } = context
  const request = readS3Request(message)
  const ring = { tokens: world.tokens, keyMs: world.delays.keyMs, now: clock() }
  const identity = authenticate(request, ring)
  refuseSignedStreaming(identity)
  const at = { world, jurisdiction, address: '127.0.0.1' }
  const bucket = authorize(request, identity.token, at)
  if (bucket === undefined) {
    return xmlAnswer(200, listBuckets(world, identity.token, jurisdiction))
  }
  const source = copySourceOf(request, identity.token, at)
  return forward(pool, message, {
    request,
    payload: identity.payload,
    slot: await pool.slotOf(bucket),
    copySource: source && `${await pool.slotOf(source.bucket)}/${source.key}`,
  })
}

/** R2 knows no signed chunks (seen in 2025 and 2026 by FluentStorage's issue 166). */
function refuseSignedStreaming({ payload }: Identity): void {
  if (payload.startsWith('STREAMING-AWS4-')) {
    throw new S3Error('NotImplemented', `${payload} not implemented`)
  }
}

function refusal(error: unknown): Answer {
  const known = error instanceof S3Error ? error : new S3Error('InternalError', String(error))
  return xmlAnswer(known.status, known.toXml())
}

function xmlAnswer(status: number, body: string): Answer {
  const headers = { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }
  return { status, headers, body }
}
