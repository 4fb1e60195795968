import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Problem } from '../../core/problem.ts'
import { loadMiniflare, type ModuleLoader } from './load-miniflare.ts'

/** Cloudflare's own R2, running on this machine: Miniflare's S3 front and public endpoint. */
export interface Emulator {
  /** `http://127.0.0.1:PORT`, no slash at the end. */
  readonly url: string
  /** One pair for every slot; made anew at each start. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Names of its buckets. They are fixed at start, so created buckets are mapped onto them. */
  readonly slots: readonly string[]
  close(): Promise<void>
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
