import { posix } from 'node:path'

/**
 * Types that Mastodon stores its files with, by extension: what media_attachment.rb, the custom emoji,
 * site uploads, preview cards, backups and imports of Mastodon 2.9 to 4.6 accept.
 */
const TYPES: readonly (readonly [type: string, extensions: string])[] = [
  ['image/jpeg', 'jpg jpeg jpe jfif'],
  ['image/png', 'png'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
  ['image/avif', 'avif'],
  ['image/heic', 'heic'],
  ['image/heif', 'heif'],
  ['image/svg+xml', 'svg'],
  ['image/vnd.microsoft.icon', 'ico'],
  ['video/mp4', 'mp4 m4v'],
  ['video/quicktime', 'mov'],
  ['video/webm', 'webm'],
  ['video/ogg', 'ogv'],
  // What `file` says of Windows Media; the type that Mastodon's list of audio holds.
  ['video/x-ms-asf', 'wma'],
  ['audio/mpeg', 'mp3'],
  ['audio/ogg', 'ogg oga opus'],
  ['audio/mp4', 'm4a'],
  ['audio/aac', 'aac'],
  ['audio/3gpp', '3gp'],
  ['audio/x-wav', 'wav'],
  ['audio/flac', 'flac'],
  ['audio/webm', 'weba'],
  ['application/gzip', 'gz'],
  ['application/zip', 'zip'],
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  ['text/plain', 'txt'],
]

/** What S3 servers take an object for that has no type. */
export const UNKNOWN_TYPE = 'application/octet-stream'

const byExtension: ReadonlyMap<string, string> = new Map(
  TYPES.flatMap(([type, extensions]) =>
    extensions.split(' ').map((extension) => [`.${extension}`, type] as const),
  ),
)

/** Every extension that has a type of its own, with its dot. */
export const knownExtensions: readonly string[] = [...byExtension.keys()]

/** The part of the name that decides about its type: lower case, with its dot; empty when none. */
export function extensionOf(key: string): string {
  const name = posix.basename(key)
  const dot = name.lastIndexOf('.')
  return dot < 0 ? '' : name.slice(dot).toLowerCase()
}

/** Content-Type of the object with this key, the same on every machine. */
export function contentTypeOf(key: string): string {
  return byExtension.get(extensionOf(key)) ?? UNKNOWN_TYPE
}
