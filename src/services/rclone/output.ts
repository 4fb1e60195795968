/** What a line of rclone's log tells, as `--use-json-log --stats 1s -v` writes it (1.59 and later). */
export type RcloneEvent =
  | { readonly is: 'copied'; readonly key: string }
  /** `final`: rclone has given this object up. Other errors may be followed by success. */
  | {
      readonly is: 'error'
      readonly key: string
      readonly message: string
      readonly final: boolean
    }
  /** Bytes sent so far, repeated ones included, and bytes a second. */
  | { readonly is: 'moving'; readonly bytes: number; readonly speed: number }
  /** Something that is about no single object: a summary, a fatal error, the usage text. */
  | { readonly is: 'said'; readonly message: string }

interface LogLine {
  readonly level?: unknown
  readonly msg?: unknown
  readonly object?: unknown
  readonly stats?: { readonly bytes?: unknown; readonly speed?: unknown }
}

/** Undefined for what nobody needs to know. */
export function readLine(line: string): RcloneEvent | undefined {
  const read = line.startsWith('{') ? parsed(line) : undefined
  if (!read) return line.trim() === '' ? undefined : { is: 'said', message: line.trim() }
  const { level, object, stats } = read
  const message = typeof read.msg === 'string' ? read.msg : ''
  if (typeof stats === 'object' && stats !== null) {
    return { is: 'moving', bytes: numberOf(stats.bytes), speed: numberOf(stats.speed) }
  }
  const failing = level === 'error' || level === 'critical' || level === 'fatal'
  if (typeof object === 'string' && !isRemote(read)) {
    if (failing) {
      return { is: 'error', key: object, message, final: message.startsWith('Failed to copy') }
    }
    return /^(Multi-thread )?Copied \(/.test(message) ? { is: 'copied', key: object } : undefined
  }
  return failing ? { is: 'said', message } : undefined
}

/** `object` may also be the source or the bucket as a whole: `*local.Fs`, `*s3.Fs`. */
function isRemote(read: LogLine & { readonly objectType?: unknown }): boolean {
  return typeof read.objectType === 'string' && read.objectType.endsWith('.Fs')
}

function parsed(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return undefined
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}
