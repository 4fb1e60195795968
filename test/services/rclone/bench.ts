import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Sandbox, type SandboxOptions, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import type { Command, StreamOptions } from '../../../src/services/process/port.ts'
import { stream } from '../../../src/services/process/stream.ts'
import { connectRclone } from '../../../src/services/rclone/client.ts'
import type { CopyBatch, CopyPlace } from '../../../src/services/rclone/port.ts'
import { connectS3 } from '../../../src/services/s3/client.ts'
import type { S3Key, S3Port } from '../../../src/services/s3/port.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'

export type Bucket = Extract<CopyPlace, { kind: 'bucket' }>

/** Longest that any rclone of these tests may run, milliseconds. */
const LIMIT_MS = 50_000

export interface Told {
  readonly copied: string[]
  readonly failed: Map<string, string>
  readonly vanished: string[]
  readonly moved: [bytes: number, bytesPerSecond: number][]
  /** What `copy` rejected with. */
  readonly error: unknown
}

export interface CopyOptions extends Partial<CopyBatch> {
  readonly signal?: AbortSignal
  readonly onCopied?: (key: string, count: number) => void
  /** Milliseconds that it waits for a service; nothing waits unless told. */
  readonly sleep?: (ms: number) => Promise<void>
}

/** A sandbox with buckets, folders of files, and the real rclone between them. */
export class Bench {
  readonly sandbox: Sandbox
  readonly #keys = new Map<string, S3Key>()
  readonly #folders: string[] = []
  /** Commands that were run, newest last. */
  readonly commands: Command[] = []
  /** Called with each command when it is about to start. */
  onStart: (command: Command) => void = () => undefined
  /** What is run in place of a command. */
  wrap: (command: Command) => Command = (command) => command
  environment: Record<string, string | undefined> = process.env

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox
  }

  static async start(options: SandboxOptions = {}): Promise<Bench> {
    const own = { emulator: 'eager', startEmulator: lendEmulator } as const
    return new Bench(await startSandbox({ domainMs: 0, keyMs: 0, ...own, ...options }))
  }

  readonly stream = (command: Command, options: StreamOptions) => {
    this.commands.push(command)
    this.onStart(command)
    const limit = AbortSignal.timeout(LIMIT_MS)
    const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit
    return stream(this.wrap(command), { ...options, environment: this.environment, signal })
  }

  /** A new bucket with a key of its own. */
  async bucket(name: string): Promise<Bucket> {
    const { bootstrapToken, apiUrl, accountId } = this.sandbox
    const cloudflare = connectCloudflare({ token: bootstrapToken, baseUrl: apiUrl })
    const at = { accountId, bucket: name, jurisdiction: 'default' } as const
    await cloudflare.createBucket(at)
    const owner = { kind: 'account', accountId } as const
    const minted = await cloudflare.mintKey(owner, { name, at, allowIps: [] })
    const key = { accessKeyId: minted.id, secretAccessKey: minted.secretAccessKey }
    this.#keys.set(name, key)
    return this.place(name, key)
  }

  place(bucket: string, key: S3Key): Bucket {
    const endpoint = this.sandbox.s3Url()
    return { kind: 'bucket', endpoint, bucket, region: 'auto', key, provider: 'Cloudflare' }
  }

  s3({ bucket, key, endpoint }: Bucket): S3Port {
    return connectS3({ endpoint, bucket, key })
  }

  /** A folder with these files; the text of each is its name unless told. */
  async folder(files: readonly string[] | Readonly<Record<string, string>>): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'mastodon-r2-rclone-'))
    this.#folders.push(path)
    const list = Array.isArray(files)
      ? files.map((name) => [name, name] as const)
      : Object.entries(files as Record<string, string>)
    for (const [name, text] of list) {
      const file = join(path, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
    return path
  }

  /** Copies and gives everything that was told. */
  async copy(from: CopyPlace, to: Bucket, keys: readonly string[], options: CopyOptions = {}) {
    const { signal, onCopied, sleep = async () => undefined, ...rest } = options
    const told: Omit<Told, 'error'> = { copied: [], failed: new Map(), vanished: [], moved: [] }
    const twice: string[] = []
    const seen = new Set<string>()
    const once = (key: string) => {
      if (seen.has(key)) twice.push(key)
      seen.add(key)
    }
    const batch = { from, to, keys, transfers: 16, ...rest }
    const listener = {
      copied: (key: string) => {
        once(key)
        told.copied.push(key)
        onCopied?.(key, told.copied.length)
      },
      failed: (key: string, reason: string) => {
        once(key)
        told.failed.set(key, reason)
      },
      vanished: (key: string) => {
        once(key)
        told.vanished.push(key)
      },
      moving: (bytes: number, speed: number) => void told.moved.push([bytes, speed]),
    }
    const error = await connectRclone({ stream: this.stream, sleep })
      .copy(batch, listener, signal)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
    if (twice.length > 0) throw new Error(`Told twice: ${twice.join(', ')}`)
    return { ...told, error } satisfies Told
  }

  async listed(bucket: Bucket): Promise<string[]> {
    const keys: string[] = []
    for await (const page of this.s3(bucket).pages()) keys.push(...page.map(({ key }) => key))
    return keys
  }

  /** Requests that reached the S3 side since the last call, by method. */
  requests(): Record<string, number> {
    const entries = this.sandbox.log.slice(this.#seen).filter(({ side }) => side === 's3')
    this.#seen = this.sandbox.log.length
    const counts: Record<string, number> = {}
    for (const { method } of entries) counts[method] = (counts[method] ?? 0) + 1
    return counts
  }
  #seen = 0

  async close(): Promise<void> {
    await this.sandbox.close()
    for (const path of this.#folders) await rm(path, { recursive: true, force: true })
  }
}
