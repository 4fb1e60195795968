import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createClock } from '../../src/core/clock.ts'
import { toType } from '../../src/core/to-type.ts'
import { type CopyRound, copyMedia } from '../../src/migrate/copy/copy.ts'
import type { Migration } from '../../src/migrate/migration.ts'
import type { Finding } from '../../src/plan/step.ts'
import { checkpointId, openCheckpoint } from '../../src/services/checkpoint/checkpoint.ts'
import { localTree } from '../../src/services/media/tree.ts'
import { connectRclone } from '../../src/services/rclone/client.ts'
import type { RclonePort } from '../../src/services/rclone/port.ts'
import type { Bench, Bucket } from '../services/rclone/bench.ts'

/** Where notes are kept, and what happens after the nth file was copied. */
export interface Circumstances {
  readonly stateHome?: string
  readonly onCopied?: (count: number, key: string) => void
  readonly round?: CopyRound
}

/** A folder, an empty bucket, and runs of the copy between them with everything real. */
export class Migrating {
  readonly bench: Bench
  readonly bucket: Bucket
  readonly root: string
  readonly stateHome: string
  readonly said: string[] = []
  readonly told: string[] = []
  readonly stop: { abort: () => void } = { abort: () => undefined }

  constructor(bench: Bench, bucket: Bucket) {
    const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-migrating-'))
    this.bench = bench
    this.bucket = bucket
    this.root = join(folder, 'system')
    this.stateHome = join(folder, 'state')
    mkdirSync(this.root)
    chmodSync(folder, 0o755)
  }

  put(key: string, text: string): void {
    const path = join(this.root, key)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  fill(count: number): void {
    for (let nth = 0; nth < count; nth += 1) this.put(keyOf(nth), `text ${nth}`)
  }

  migration({ stateHome = this.stateHome, onCopied }: Circumstances = {}): Migration {
    const { bench, bucket, root } = this
    const stop = new AbortController()
    this.stop.abort = () => stop.abort()
    return {
      source: localTree(root),
      selection: { onlyLocal: false, skip: [], withPrivate: false, withSuspended: false },
      checkpoint: openCheckpoint({
        stateHome,
        id: checkpointId(root, bucket.endpoint, bucket.bucket),
      }),
      rclone: watched(connectRclone({ stream: bench.stream }), onCopied),
      tootctl: { command: () => undefined },
      bucket: () => bench.s3(bucket),
      from: { kind: 'folder', path: root },
      to: bucket,
      wishes: { transfers: 16, bwlimit: undefined },
      signal: stop.signal,
      width: 100,
      lineFor: (stage) => toType('migrate', { stage }),
      tell: (line) => void this.told.push(line),
      say: (line) => void this.said.push(String(line)),
    }
  }

  /** What the program does at `--stage copy`; gives the last finding, or throws. */
  async copy(circumstances: Circumstances = {}): Promise<Finding> {
    const { round = 'copy' } = circumstances
    const step = copyMedia(this.migration(circumstances), { round })
    const at = { clock: createClock(new AbortController().signal) }
    const found = await step.look(at)
    if (found.is !== 'change') return found
    await step.change?.(at)
    return step.look(at)
  }

  /** Keys and MD5s of the bucket. */
  async stored(): Promise<Map<string, string>> {
    const stored = new Map<string, string>()
    for await (const page of this.bench.s3(this.bucket).pages()) {
      for (const { key, etag } of page) stored.set(key, etag)
    }
    return stored
  }

  /** Keys and MD5s of the folder. */
  async files(): Promise<Map<string, string>> {
    const files = new Map<string, string>()
    for await (const list of localTree(this.root).files()) {
      for (const { key } of list) files.set(key, md5(readFileSync(join(this.root, key))))
    }
    return files
  }

  close(): void {
    rmSync(dirname(this.root), { recursive: true, force: true })
  }
}

export function keyOf(nth: number): string {
  const id = String(nth)
    .padStart(9, '0')
    .replace(/(...)(...)(...)/, '$1/$2/$3')
  return `media_attachments/files/${id}/original/${md5(Buffer.from(id)).slice(0, 16)}.png`
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex')
}

function watched(rclone: RclonePort, onCopied: Circumstances['onCopied']): RclonePort {
  let count = 0
  return {
    ...rclone,
    copy: (batch, listener, signal) => {
      const copied = (key: string) => {
        count += 1
        listener.copied(key)
        onCopied?.(count, key)
      }
      return rclone.copy(batch, { ...listener, copied }, signal)
    },
  }
}
