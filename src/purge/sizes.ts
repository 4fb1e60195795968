import type { S3Port } from '../services/s3/port.ts'

/** A file that Mastodon stored, and the others of the same upload: `<folder><style>/<name>.<ending>`. */
interface Upload {
  /** With the id, ends with a slash. */
  readonly folder: string
  readonly style: string
  /** Without its ending. */
  readonly name: string
  readonly ending: string
}

/** Ids stand in groups of three digits, nine digits at least (Paperclip's `:id_partition`). */
const FORM =
  /^(?<folder>(?:cache\/)?[a-z_]+\/[a-z_]+\/(?:\d{3}\/){3,})(?<style>[^/]+)\/(?<name>[^/]+?)\.(?<ending>[^./]+)$/

function uploadOf(key: string): Upload | undefined {
  const { folder, style, name, ending } = FORM.exec(key)?.groups ?? {}
  if (folder === undefined || style === undefined || name === undefined) return undefined
  return { folder, style, name, ending: ending ?? '' }
}

/** Where all sizes of a file lie; a file of another form is alone. */
export function folderOf(key: string): string {
  return uploadOf(key)?.folder ?? key
}

export interface Sizes {
  /** In the bucket, each once. */
  readonly present: readonly { readonly key: string; readonly size: number }[]
  /** What was asked for, and is not in the bucket. */
  readonly absent: readonly string[]
  /** What the other sizes may have been called, where the bucket has none of that size any more. */
  readonly guessed: readonly string[]
}

/** All sizes of these files that the bucket has: a list of each upload's folder. */
export async function sizesOf(s3: S3Port, keys: readonly string[]): Promise<Sizes> {
  const present = new Map<string, number>()
  for (const folder of new Set(keys.map(folderOf))) {
    for await (const page of s3.pages(folder)) {
      for (const { key, size } of page) if (belongs(key, folder)) present.set(key, size)
    }
  }
  const absent = keys.filter((key) => !present.has(key))
  const guessed = keys.flatMap((key) => guesses(key, [...present.keys()]))
  return {
    present: [...present].map(([key, size]) => ({ key, size })),
    absent: [...new Set(absent)],
    guessed: [...new Set(guessed)].filter((key) => !present.has(key) && !keys.includes(key)),
  }
}

/** The folder of one id may begin as that of a longer id, which is somebody else's file. */
function belongs(key: string, folder: string): boolean {
  if (key === folder) return true
  if (!folder.endsWith('/')) return false
  const [style = '', name, ...more] = key.slice(folder.length).split('/')
  return name !== undefined && more.length === 0 && !/^\d{3}$/.test(style)
}

/** From Mastodon's attachment definitions: the sizes besides the original. */
const STYLES: readonly (readonly [folder: RegExp, style: string])[] = [
  [/\bmedia_attachments\//, 'small'],
  [/\b(accounts\/(avatars|headers)|custom_emojis)\//, 'static'],
]
const PICTURES = ['png', 'jpg', 'jpeg', 'gif', 'webp']
const OTHERS = ['avif', 'heic', 'heif', 'mp4', 'm4v', 'mov', 'webm', 'mp3', 'ogg', 'oga', 'wav']
const MORE = ['flac', 'aac', 'm4a', '3gp', 'wma', 'opus']

/** A file that is gone from the bucket may be in the cache: its name is known but for the ending. */
function guesses(key: string, present: readonly string[]): string[] {
  const upload = uploadOf(key)
  if (!upload) return []
  const { folder, style, name, ending } = upload
  const second = STYLES.find(([pattern]) => pattern.test(folder))?.[1]
  if (second === undefined) return []
  const missing = ['original', second].filter(
    (one) => one !== style && !present.some((other) => other.startsWith(`${folder}${one}/`)),
  )
  return missing.flatMap((one) => {
    const endings = one === 'original' ? [...PICTURES, ...OTHERS, ...MORE] : PICTURES
    return [...new Set([ending, ...endings])].map((end) => `${folder}${one}/${name}.${end}`)
  })
}
