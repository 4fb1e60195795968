export interface ListedKey {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly uploadedAt: number
}

/** The objects in an answer to ListObjectsV2 that was asked for with `encoding-type=url`. */
export function listedKeys(xml: string): ListedKey[] {
  return [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry = '']) => ({
    key: decodeURIComponent(element(entry, 'Key')),
    size: Number(element(entry, 'Size')),
    etag: element(entry, 'ETag').replace(/&quot;|"/g, ''),
    uploadedAt: Date.parse(element(entry, 'LastModified')),
  }))
}

function element(xml: string, name: string): string {
  return new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? ''
}
