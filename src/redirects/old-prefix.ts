import { createHash } from 'node:crypto'

/** Where old addresses begin; what follows is the object's key. */
export interface OldPrefix {
  readonly host: string
  /** Begins and ends with a slash. */
  readonly path: string
}

export function oldUrl({ host, path }: OldPrefix, key: string): string {
  return `https://${host}${path}${encoded(key)}`
}

export function newUrl(mediaHost: string, key: string): string {
  return `https://${mediaHost}/${encoded(key)}`
}

export function prefixName({ host, path }: OldPrefix): string {
  return `${host}${path}`
}

/** Short and made of letters and digits only, so that it can be part of names elsewhere. */
export function prefixMark(prefix: OldPrefix): string {
  return createHash('sha256').update(prefixName(prefix)).digest('hex').slice(0, 12)
}

function encoded(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}
