/** Why an object was not copied. */
export interface Reason {
  /** `refused`: 401, 403 or 404 of the bucket. `remote`: network or server. `source`: this file. */
  readonly kind: 'refused' | 'gone' | 'remote' | 'source'
  /** A few words, e.g. `403 AccessDenied`. */
  readonly text: string
  readonly status?: number
  /** The source was refused, not the upload. */
  readonly atSource?: true
}

const NETWORK: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, 'connection refused'],
  [/no such host/i, 'the name of the server is not known'],
  [/connection reset|broken pipe|\bEOF\b/i, 'the connection broke'],
  [/i\/o timeout|deadline exceeded|Client\.Timeout|TLS handshake timeout/i, 'no answer in time'],
  [/x509|certificate/i, 'the certificate of the server is not trusted'],
  [/network is unreachable|no route to host/i, 'the network is not reachable'],
]

const SOURCE: readonly (readonly [RegExp, string])[] = [
  [/permission denied/i, 'permission denied'],
  [/source file is being updated/i, 'it was being written'],
  [/too many open files/i, 'too many open files'],
  [/input\/output error/i, 'the disk could not read it'],
  [/corrupted on transfer/i, 'damaged on the way'],
]

const LONGEST = 120

/** Reads rclone's words about one object. The path, ids and secrets in them are left out. */
export function readReason(message: string): Reason {
  const words = message
    .replace(/^(Failed to copy: )+/, '')
    .replace(/\s+/g, ' ')
    .trim()
  const status = Number(/status ?code: (\d{3})/i.exec(words)?.[1])
  // The first is how releases from 1.68 on say it, with another SDK.
  const name = (/api error (\w+)/.exec(words) ?? /\b([A-Z][A-Za-z]{3,40}): /.exec(words))?.[1]
  if (name === 'NoSuchKey' || /object not found/i.test(words)) {
    return { kind: 'gone', text: '404 NoSuchKey', status: 404 }
  }
  if (status >= 300) {
    const kind = [401, 403, 404].includes(status) ? 'refused' : 'remote'
    const text = [status, name].filter((part) => part !== undefined).join(' ')
    const atSource = /failed to open source object/i.test(words)
    return { kind, text, status, ...(atSource && { atSource }) }
  }
  if (/no such file or directory/i.test(words)) return { kind: 'gone', text: 'gone' }
  const source = SOURCE.find(([pattern]) => pattern.test(words))
  if (source) return { kind: 'source', text: source[1] }
  const network = NETWORK.find(([pattern]) => pattern.test(words))
  if (network) return { kind: 'remote', text: network[1] }
  return { kind: 'source', text: words.slice(0, LONGEST) || 'rclone gave no reason' }
}
