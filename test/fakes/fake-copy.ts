import { Cancelled, type Problem } from '../../src/core/problem.ts'
import { Secret } from '../../src/core/secret.ts'
import { compareKeys } from '../../src/core/streams.ts'
import { toType } from '../../src/core/to-type.ts'
import type { Migration } from '../../src/migrate/migration.ts'
import type { World } from '../../src/plan/step.ts'
import type {
  Checkpoint,
  CheckpointPort,
  StoredVersion,
} from '../../src/services/checkpoint/port.ts'
import type { MediaFile, MediaSource, Oddity } from '../../src/services/media/port.ts'
import type { CopyBatch, CopyListener, RclonePort } from '../../src/services/rclone/port.ts'
import { FakeS3 } from './fake-s3.ts'
import { FakeClock } from './fake-world.ts'

/** A folder in memory. */
class FakeSource implements MediaSource {
  kind: 'local' | 's3' = 'local'
  readonly name = '/srv/system'
  readonly tree = new Map<string, MediaFile & { text: string }>()
  oddities: Oddity[] = []
  walks = 0
  /** Waited for before every batch of a walk. */
  beforeBatch: (nth: number) => Promise<void> = async () => undefined

  content?: NonNullable<MediaSource['content']>

  put(key: string, text: string, changedAt: number, mode = 0o644, writtenAt = changedAt): void {
    const size = Buffer.byteLength(text)
    this.tree.set(key, { key, text, size, changedAt, mode, writtenAt })
  }

  /** From now on contents are read, and not known by ETags. */
  hasContent(): void {
    this.content = (key) => {
      const { text = '' } = this.tree.get(key) ?? {}
      return (async function* () {
        yield Buffer.from(text)
      })()
    }
  }

  async *files({ signal, onOddity, newestFirst }: Parameters<MediaSource['files']>[0] = {}) {
    this.walks += 1
    for (const oddity of this.oddities) onOddity?.(oddity)
    const isHidden = (key: string) =>
      this.oddities.some(({ path }) => key === path || (path.endsWith('/') && key.startsWith(path)))
    const seen = [...this.tree.values()].filter(({ key }) => !isHidden(key))
    const all = seen.sort((a, b) => compareKeys(a.key, b.key))
    if (newestFirst) all.reverse()
    for (let at = 0; at < all.length; at += 10) {
      await this.beforeBatch(at / 10)
      if (signal?.aborted) throw new Cancelled()
      yield all.slice(at, at + 10)
    }
  }

  async find(key: string) {
    return this.tree.get(key)
  }

  async read(key: string) {
    const file = this.tree.get(key)
    if (!file) throw new Error('ENOENT')
    return Buffer.from(file.text)
  }
}

/** Carries files of a FakeSource into a FakeS3; `fate` decides what becomes of each one. */
class FakeRclone implements RclonePort {
  readonly batches: CopyBatch[] = []
  fate: (key: string) => 'silent' | 'gone' | { reason: string } | undefined = () => undefined
  /** Thrown before the key. */
  stop: (key: string) => Error | undefined = () => undefined
  readonly #source: FakeSource
  readonly #s3: FakeS3

  constructor(source: FakeSource, s3: FakeS3) {
    this.#source = source
    this.#s3 = s3
  }

  get asked(): string[] {
    return this.batches.flatMap(({ keys }) => keys)
  }

  async acl() {
    return undefined
  }

  async version() {
    return '1.60.1'
  }

  canCarry(key: string) {
    return !key.includes('\n')
  }

  contentType() {
    return 'image/png'
  }

  async copy(batch: CopyBatch, listener: CopyListener, signal?: AbortSignal) {
    this.batches.push(batch)
    for (const key of batch.keys) {
      await new Promise((resolve) => setImmediate(resolve))
      if (signal?.aborted) throw new Cancelled()
      const error = this.stop(key)
      if (error) throw error
      const fate = this.fate(key)
      const file = this.#source.tree.get(key)
      if (typeof fate === 'object') listener.failed(key, fate.reason)
      else if (fate === 'gone') listener.vanished(key)
      else if (fate === undefined && file) {
        this.#s3.objects.set(key, objectOf(file.text))
        listener.copied(key)
      }
    }
    listener.moving(1, 1)
  }
}

export function objectOf(text: string) {
  return { body: Buffer.from(text), contentType: 'image/png', cacheControl: '' }
}

export class FakeCheckpoint implements CheckpointPort {
  readonly path = '/state/media-1'
  held: Checkpoint | undefined
  readonly puts: StoredVersion[] = []
  readonly written: Checkpoint[] = []
  refuse: (what: 'write' | 'record') => Problem | undefined = () => undefined

  async read() {
    return this.held
  }

  async write(checkpoint: Checkpoint) {
    const problem = this.refuse('write')
    if (problem) throw problem
    this.held = JSON.parse(JSON.stringify(checkpoint))
    this.written.push(checkpoint)
  }

  async record(puts: readonly (string | StoredVersion)[]) {
    const problem = this.refuse('record')
    if (problem) throw problem
    for (const put of puts)
      this.puts.push(typeof put === 'string' ? { key: put, changedAt: 0 } : put)
  }

  async recorded(keys: ReadonlySet<string>) {
    return new Set(this.puts.map(({ key }) => key).filter((key) => keys.has(key)))
  }

  async versions(since: number) {
    const found = this.puts.filter(({ changedAt }) => changedAt > since)
    return new Map(found.map(({ key, changedAt }) => [key, changedAt]))
  }

  async *keys() {
    yield this.puts.map(({ key }) => key)
  }

  async lastPut() {
    return undefined
  }
}

/** A migration of fakes; what was told and said is kept. */
export function copyWorld() {
  const source = new FakeSource()
  const s3 = new FakeS3()
  const rclone = new FakeRclone(source, s3)
  const checkpoint = new FakeCheckpoint()
  const clock = new FakeClock()
  const stop = new AbortController()
  const said: string[] = []
  const told: string[] = []
  const selection = { onlyLocal: false, skip: [], withPrivate: true, withSuspended: true }
  const migration: Migration = {
    source,
    selection,
    checkpoint,
    rclone,
    tootctl: { command: () => undefined },
    bucket: () => s3,
    from: { kind: 'folder', path: source.name },
    to: {
      kind: 'bucket',
      endpoint: 'https://r2.example',
      bucket: 'media',
      region: 'auto',
      key: { accessKeyId: '1'.repeat(32), secretAccessKey: new Secret('2'.repeat(64)) },
      provider: 'Cloudflare',
    },
    wishes: { transfers: 64, bwlimit: undefined },
    signal: stop.signal,
    width: 100,
    lineFor: (stage, more) => toType('migrate', { mastodonEnv: 'E', stage, ...more }),
    tell: (line) => void told.push(line),
    say: (line) => void said.push(String(line)),
  }
  const at = { clock } satisfies Pick<World, 'clock'>
  return { source, s3, rclone, checkpoint, clock, stop, said, told, migration, at }
}
