import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, readlink } from 'node:fs/promises'

/** Bytes; what is read whole here is small, and anything larger is the wrong file. */
const MOST = 1_048_576

export interface PlainFile {
  readonly bytes: Buffer
  /** Of the file that was read, whatever the path means by now. */
  readonly stat: Stats
}

export interface ReadPlain {
  /** Bytes; 1 MiB unless told. */
  readonly most?: number
  /** A link at the path itself is an error (ELOOP) unless told. */
  readonly follow?: boolean
}

/**
 * Reads a file that may lie in a folder of somebody else. Only plain files are read (a pipe would keep
 * whoever opens it waiting, and could not be interrupted), and no more than they may hold. Throws
 * the system's error, EISDIR for a folder, ENOTSUP for a pipe, socket or device, EFBIG.
 */
export async function readPlain(path: string, options: ReadPlain = {}): Promise<PlainFile> {
  const handle = await openPlain(path, constants.O_RDONLY, options)
  try {
    return { bytes: await readAtMost(handle, options.most ?? MOST), stat: await handle.stat() }
  } finally {
    await handle.close()
  }
}

/** Opens a plain file as `readPlain` does; what is changed, is changed on the handle. */
export async function openPlain(
  path: string,
  flags: number,
  { follow = false }: Pick<ReadPlain, 'follow'> = {},
): Promise<FileHandle> {
  const { O_NONBLOCK, O_NOFOLLOW, O_NOCTTY } = constants
  const how = flags | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW)
  const handle = await open(path, how, 0o600)
  const stat = await handle.stat()
  if (stat.isFile()) return handle
  await handle.close()
  throw systemError(stat.isDirectory() ? 'EISDIR' : 'ENOTSUP')
}

/** Of a file that grows meanwhile, too; sizes in /proc are 0. */
async function readAtMost(handle: FileHandle, most: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for (let bytes = 0; ; ) {
    const piece = Buffer.alloc(Math.min(most + 1, 65_536))
    const { bytesRead } = await handle.read(piece, 0, piece.length)
    if (bytesRead === 0) return Buffer.concat(pieces)
    bytes += bytesRead
    if (bytes > most) throw systemError('EFBIG')
    pieces.push(piece.subarray(0, bytesRead))
  }
}

/** A folder that is held open: names in it mean the same place, whoever moves or swaps it. */
export interface HeldFolder {
  /** The path of a name in it, for this process: what openat(2) does. */
  at(name: string): string
  sync(): Promise<void>
  close(): Promise<void>
}

/** `path` is absolute and holds no link, or this is ELOOP. Throws the system's errors. */
export async function holdFolder(path: string): Promise<HeldFolder> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  const own = `/proc/self/fd/${handle.fd}`
  const real = await readlink(own).catch(() => undefined)
  if (real !== undefined && real !== path) {
    await handle.close()
    throw systemError('ELOOP')
  }
  return {
    at: (name) => `${real === undefined ? path : own}/${name}`,
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code })
}
