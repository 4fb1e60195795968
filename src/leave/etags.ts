import { createHash } from 'node:crypto'
import { sameEtag } from '../moving/content.ts'
import type { MediaFile, MediaSource } from '../services/media/port.ts'
import type { ListedObject } from '../services/s3/port.ts'

/** Files whose contents are read to learn what the ETags of a bucket are. */
const FEW = 20
/** Where it is so of some and otherwise of others. */
const MOST = 2_000

/**
 * ETags of the bucket that is gone to, against those of R2, which are the MD5 of what was uploaded as a
 * whole. A provider that encrypts with keys of its own (AWS with SSE-KMS) has others of the same form:
 * the first files that seem to differ are read, which tells.
 */
export class Etags {
  readonly #source: Pick<MediaSource, 'read'>
  #read = 0
  #ofContent = 0

  constructor(source: Pick<MediaSource, 'read'>) {
    this.#source = source
  }

  /** Whether both have the same content; undefined when their ETags can't tell. */
  async same(file: MediaFile, object: ListedObject): Promise<boolean | undefined> {
    const told = sameEtag(file.etag ?? '', object.etag)
    if (told !== false) return told
    if (this.#read >= FEW && this.#ofContent === this.#read) return false
    if (this.#read >= (this.#ofContent === 0 ? FEW : MOST)) return undefined
    this.#read += 1
    const md5 = await this.#md5Of(file.key)
    if (md5 === undefined) return undefined
    if (md5 === file.etag?.toLowerCase()) {
      this.#ofContent += 1
      return false
    }
    return md5 === object.etag.toLowerCase()
  }

  async #md5Of(key: string): Promise<string | undefined> {
    const body = await this.#source.read(key).catch(() => undefined)
    return body && createHash('md5').update(body).digest('hex')
  }
}
