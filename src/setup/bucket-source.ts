import type { MediaFile, MediaSource, Oddity } from '../services/media/port.ts'
import type { ListedObject, S3Port } from '../services/s3/port.ts'

/**
 * A bucket as the place where media is copied from; `name` as the person would say it, e.g.
 * `media at s3.example.com`. One request per 1,000 objects, for each reading.
 */
export function bucketSource(s3: S3Port, name: string): MediaSource {
  return {
    kind: 's3',
    name,
    async *files({ signal, onOddity } = {}) {
      for await (const page of s3.pages('', signal)) {
        const files = page.filter((object) => !isFolder(object))
        for (const object of page) if (isFolder(object)) onOddity?.(folderOddity(object.key))
        yield files.map(fileOf)
      }
    },
    async find(key) {
      const head = await s3.head(key)
      // A request for one object tells no time of change: listed is what counts.
      return head && { key, size: head.size, changedAt: 0, mode: undefined, etag: head.etag }
    },
    read: async (key) => (await s3.get(key)).body,
  }
}

/** Some programs put an empty object where a folder would be; nothing can be read from it. */
function isFolder({ key, size }: ListedObject): boolean {
  return size === 0 && key.endsWith('/')
}

function folderOddity(path: string): Oddity {
  const note = `${path} is an empty object that stands for a folder. It is left out.`
  return { path, kind: 'not-a-file', note }
}

function fileOf({ key, size, etag, lastModified }: ListedObject): MediaFile {
  return { key, size, changedAt: lastModified, mode: undefined, etag }
}
