import { createHash, type Hash } from 'node:crypto'
import type { MediaFile } from '../services/media/port.ts'
import type { ListedObject } from '../services/s3/port.ts'

const MIB = 1_048_576
/** Bytes a part, as Mastodon sends them and as our rclone does. */
const OWN_PARTS = [5 * MIB, 32 * MIB]
/** Part sizes in MiB that other tools use, where too many sizes would fit. */
const USUAL_PARTS = [5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512, 1024]
const MOST_GUESSES = 16

/**
 * Whether a content has this ETag: the MD5, or of an upload in parts the MD5 of the parts' MD5s. The
 * size of the parts isn't stored, so all that give this number of parts are tried at once; undefined
 * when that can't tell.
 */
export async function hasEtag(
  content: AsyncIterable<Uint8Array>,
  { etag, size }: { readonly etag: string; readonly size: number },
): Promise<boolean | undefined> {
  const [, md5, count] = /^([0-9a-f]{32})(?:-(\d+))?$/i.exec(etag) ?? []
  if (md5 === undefined) return undefined
  const parts = count === undefined ? undefined : Number(count)
  const sums = parts === undefined ? [new WholeSum()] : partSizes(size, parts).map(newPartSum)
  if (sums.length === 0) return undefined
  for await (const chunk of content) for (const sum of sums) sum.add(chunk)
  if (sums.some((sum) => sum.hex() === md5.toLowerCase())) return true
  const isOwn = OWN_PARTS.some((part) => parts === Math.ceil(size / part))
  return parts === undefined || isOwn ? false : undefined
}

/** Whether two ETags say that the contents are the same; undefined when they can't tell. */
export function sameEtag(one: string, other: string): boolean | undefined {
  if (one.toLowerCase() === other.toLowerCase()) return true
  return isWhole(one) && isWhole(other) ? false : undefined
}

/** Bytes a part, for every size that gives this number of parts. */
export function partSizes(size: number, parts: number): number[] {
  if (parts < 1 || size < 1) return []
  if (parts === 1) return [size]
  const least = Math.max(5, Math.ceil(size / parts / MIB))
  const sizes: number[] = []
  for (let part = least; part * MIB * (parts - 1) < size; part++) {
    sizes.push(part)
    if (sizes.length > MOST_GUESSES) {
      const fits = (usual: number) => Math.ceil(size / (usual * MIB)) === parts
      return USUAL_PARTS.filter(fits).map((usual) => usual * MIB)
    }
  }
  return sizes.map((part) => part * MIB)
}

function isWhole(etag: string): boolean {
  return /^[0-9a-f]{32}$/i.test(etag)
}

function newPartSum(partSize: number): PartSum {
  return new PartSum(partSize)
}

class WholeSum {
  readonly #hash = createHash('md5')

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk)
  }

  hex(): string {
    return this.#hash.digest('hex')
  }
}

class PartSum {
  readonly #size: number
  readonly #parts = createHash('md5')
  #part: Hash = createHash('md5')
  #room: number

  constructor(size: number) {
    this.#size = size
    this.#room = size
  }

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + this.#room)
      this.#part.update(piece)
      at += piece.length
      this.#room -= piece.length
      if (this.#room === 0) this.#close()
    }
  }

  #close(): void {
    this.#parts.update(this.#part.digest())
    this.#part = createHash('md5')
    this.#room = this.#size
  }

  hex(): string {
    if (this.#room < this.#size) this.#close()
    return this.#parts.digest('hex')
  }
}

/** The content of a file, a piece at a time. */
export type ContentReader = (key: string) => AsyncIterable<Uint8Array>

/** `unknown`: the ETag of an upload in parts of a size that can't be guessed. */
export type ContentVerdict = 'same' | 'differs' | 'unknown' | 'gone' | 'unreadable'

/** A file's content against the ETag of the object, or one ETag against the other. */
export async function sameContent(
  file: MediaFile,
  object: Pick<ListedObject, 'etag' | 'size'>,
  content: ContentReader | undefined,
): Promise<ContentVerdict> {
  if (!content) return verdictOf(sameEtag(file.etag ?? '', object.etag))
  try {
    return verdictOf(await hasEtag(content(file.key), object))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'gone'
    if (code === 'EACCES' || code === 'EPERM' || code === 'EIO') return 'unreadable'
    throw error
  }
}

function verdictOf(same: boolean | undefined): ContentVerdict {
  if (same === undefined) return 'unknown'
  return same ? 'same' : 'differs'
}
