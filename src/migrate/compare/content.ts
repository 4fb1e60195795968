import type { MediaFile } from '../../services/media/port.ts'
import type { ListedObject } from '../../services/s3/port.ts'
import { hasEtag, sameEtag } from './etag.ts'

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
