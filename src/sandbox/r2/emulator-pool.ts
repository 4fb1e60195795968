import { Agent, type ClientRequest, request as httpRequest } from 'node:http'
import type { SandboxBucket, World } from '../world.ts'
import type { Emulator } from './emulator.ts'
import { amzDateOf, canonicalQuery, sigv4 } from './sigv4.ts'

/** A request to the objects of one bucket. */
interface ObjectRequest {
  readonly method: string
  /** Encoded, without a slash in front; undefined for the bucket itself. */
  readonly key: string | undefined
  readonly query: readonly (readonly [string, string])[]
  readonly headers: Readonly<Record<string, string>>
}

/** The emulator's buckets, lent to the buckets that people create; started when first needed. */
export interface EmulatorPool {
  /** Name of the emulator's bucket; starts the emulator. Throws when all are lent out. */
  slotOf(bucket: SandboxBucket): Promise<string>
  /** Signed with the emulator's own key. The caller ends the request. */
  s3(slot: string, request: ObjectRequest): Promise<ClientRequest>
  /** Starts the emulator ahead of need. Throws what startEmulator throws. */
  start(): Promise<void>
  /** Before that no object can exist. */
  readonly started: boolean
  close(): Promise<void>
}

const S3_PATH = '/cdn-cgi/local/r2/s3'

export function createEmulatorPool(
  world: Pick<World, 'buckets'>,
  start: () => Promise<Emulator>,
): EmulatorPool {
  let starting: Promise<Emulator> | undefined
  const lent = new Map<string, string>()
  // workerd closes idle connections after 5 s; a shorter timeout keeps requests off dying ones.
  const agent = new Agent({ keepAlive: true, timeout: 2000 })

  const emulator = (): Promise<Emulator> => {
    starting ??= start().catch((error: unknown) => {
      starting = undefined
      throw error
    })
    return starting
  }

  return {
    get started() {
      return starting !== undefined
    },

    async start() {
      await emulator()
    },

    async slotOf(bucket) {
      const { slots } = await emulator()
      const known = lent.get(bucket.slot)
      if (known !== undefined) return known
      const alive = new Set(world.buckets.map(({ slot }) => slot))
      for (const slot of [...lent.keys()].filter((slot) => !alive.has(slot))) lent.delete(slot)
      const taken = new Set(lent.values())
      const free = slots.find((slot) => !taken.has(slot))
      if (free === undefined) throw new Error(`The sandbox holds ${slots.length} buckets at most.`)
      lent.set(bucket.slot, free)
      return free
    },

    async s3(slot, { method, key, query, headers }) {
      const { url, credentials } = await emulator()
      const target = new URL(`${S3_PATH}/${slot}${key === undefined ? '' : `/${key}`}`, url)
      const amzDate = amzDateOf(Date.now())
      const payloadHash = 'UNSIGNED-PAYLOAD'
      const scope = { date: amzDate.slice(0, 8), region: 'auto' }
      const signed = new Map([
        ['host', target.host],
        ['x-amz-content-sha256', payloadHash],
        ['x-amz-date', amzDate],
      ])
      const signedHeaders = [...signed.keys()]
      const signature = sigv4(
        {
          method,
          path: target.pathname,
          query,
          headers: signed,
          signedHeaders,
          payloadHash,
          amzDate,
          scope,
        },
        credentials.secretAccessKey,
      )
      const credential = `${credentials.accessKeyId}/${scope.date}/${scope.region}/s3/aws4_request`
      target.search = canonicalQuery(query)
      return httpRequest(target, {
        agent,
        method,
        headers: {
          ...headers,
          ...Object.fromEntries(signed),
          'accept-encoding': 'identity',
          authorization:
            `AWS4-HMAC-SHA256 Credential=${credential}, ` +
            `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
        },
      })
    },

    async close() {
      agent.destroy()
      await (await starting?.catch(() => undefined))?.close()
    },
  }
}
