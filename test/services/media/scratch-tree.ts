import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type {
  MediaFile,
  MediaSource,
  Oddity,
  ReadOptions,
} from '../../../src/services/media/port.ts'

/** A folder for one test, with files of that content. */
export function scratchTree(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mastodon-r2-media-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'system')
  mkdirSync(root)
  for (const [key, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, key)), { recursive: true })
    writeFileSync(join(root, key), content)
    chmodSync(join(root, key), 0o644)
  }
  return root
}

export interface ReadTree {
  readonly files: MediaFile[]
  readonly keys: string[]
  readonly oddities: Oddity[]
  /** `kind path` */
  readonly odd: string[]
}

export async function readAll(source: MediaSource, options: ReadOptions = {}): Promise<ReadTree> {
  const files: MediaFile[] = []
  const oddities: Oddity[] = []
  const onOddity = (oddity: Oddity) => void oddities.push(oddity)
  for await (const batch of source.files({ onOddity, ...options })) files.push(...batch)
  return {
    files,
    keys: files.map(({ key }) => key),
    oddities,
    odd: oddities.map(({ kind, path }) => `${kind} ${path}`),
  }
}
