import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, type ClientRequest, request as httpRequest } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { Problem } from '../../core/problem.ts'
import type { SandboxBucket, World } from '../world.ts'
import { amzDateOf, canonicalQuery, sigv4 } from './authenticate.ts'

/** The release whose S3 front the sandbox stands on: 5.x has another constructor, 4.20260426 no S3. */
export const MINIFLARE_VERSION = '4.20260730.0'

type Miniflare = typeof import('miniflare')

/** How the package is found and loaded; tests put their own in. */
export interface ModuleLoader {
  /** Path of the package's main file; throws when it is not installed. */
  resolve(name: string): string
  load(path: string): Promise<unknown>
}

const nodeLoader: ModuleLoader = {
  resolve: (name) => createRequire(import.meta.url).resolve(name),
  // It is CommonJS: an import would search all of it for names first, half a second.
  load: async (path) => createRequire(import.meta.url)(path),
}

/**
 * Path of Cloudflare's emulator, which is not part of the package (170 MB).
 * Throws Problem `sandbox-needs-miniflare` when it is missing or of another version.
 */
export async function locateMiniflare(loader: ModuleLoader = nodeLoader): Promise<string> {
  let path: string
  try {
    path = loader.resolve('miniflare')
  } catch (cause) {
    throw needed("Cloudflare's R2 emulator is not installed.", cause)
  }
  const version = await versionAt(path)
  if (version === MINIFLARE_VERSION) return path
  throw needed(`Version ${version} of Cloudflare's R2 emulator is installed.`)
}

/** Loads it, which takes most of a second. Throws what locateMiniflare throws. */
export async function loadMiniflare(loader: ModuleLoader = nodeLoader): Promise<Miniflare> {
  return (await loader.load(await locateMiniflare(loader))) as Miniflare
}

async function versionAt(mainFile: string): Promise<string> {
  const folder = join('node_modules', 'miniflare') + sep
  const end = mainFile.lastIndexOf(folder)
  if (end < 0) return 'unknown'
  const text = await readFile(join(mainFile.slice(0, end + folder.length), 'package.json'), 'utf8')
  return String((JSON.parse(text) as { version?: unknown }).version)
}

function needed(what: string, cause?: unknown): Problem {
  return new Problem(
    {
      code: 'sandbox-needs-miniflare',
      what,
      why: `The sandbox runs on miniflare ${MINIFLARE_VERSION}, which is too large to ship along.`,
      next: `npx -p mastodon-r2 -p miniflare@${MINIFLARE_VERSION} mastodon-r2 init --sandbox`,
    },
    { cause },
  )
}

/** Cloudflare's own R2, running on this machine: Miniflare's S3 front and public endpoint. */
export interface Emulator {
  /** `http://127.0.0.1:PORT`, no slash at the end. */
  readonly url: string
  /** One pair for every slot; made anew at each start. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Names of its buckets. They are fixed at start, so created buckets are mapped onto them. */
  readonly slots: readonly string[]
  /** Told which of its buckets may hold objects. */
  close(used?: ReadonlySet<string>): Promise<void>
}

export interface EmulatorOptions {
  readonly slots: number
  /** Folder for the objects; without it they live in a temporary folder until close. */
  readonly persist?: string
  readonly loader?: ModuleLoader
}

/**
 * Starts the emulator on a free port of 127.0.0.1, silent and without any outgoing connection.
 * Throws Problem `sandbox-needs-miniflare` or `sandbox-emulator-failed`.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { Miniflare, NoOpLog } = await loadMiniflare(options.loader)
  // Miniflare removes its own temporary folder without waiting, so it gets none of the objects.
  const scratch = await mkdtemp(join(tmpdir(), 'mastodon-r2-emulator-'))
  const persist = options.persist ?? scratch
  const credentials = {
    accessKeyId: randomBytes(16).toString('hex'),
    secretAccessKey: randomBytes(32).toString('hex'),
  }
  const slots = Array.from({ length: options.slots }, (_, index) => `slot-${index + 1}`)
  const miniflare = new Miniflare({
    modules: true,
    script: 'export default { fetch: () => new Response(null, { status: 404 }) }',
    compatibilityDate: '2026-01-01',
    host: '127.0.0.1',
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    log: new NoOpLog(),
    handleRuntimeStdio(stdout: Readable, stderr: Readable) {
      stdout.resume()
      stderr.resume()
    },
    r2Persist: persist,
    r2Buckets: Object.fromEntries(slots.map((id) => [id, { id, s3Credentials: credentials }])),
  })
  const close = async () => {
    await miniflare.dispose()
    await rm(scratch, { recursive: true, force: true })
  }
  try {
    const url = (await miniflare.ready).origin
    return { url, credentials, slots, close }
  } catch (cause) {
    await close().catch(() => undefined)
    throw new Problem(
      {
        code: 'sandbox-emulator-failed',
        what: "Cloudflare's R2 emulator did not start.",
        why: 'Its program, workerd, needs a glibc Linux (not Alpine) and about 250 MB of memory.',
        next: 'Free some memory or use another machine, then run this again.',
      },
      { cause },
    )
  }
}

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
  const used = new Set<string>()
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
      used.add(free)
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
      await (await starting?.catch(() => undefined))?.close(used)
    },
  }
}
