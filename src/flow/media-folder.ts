import type { Command, Host } from '../host.ts'
import type { BringBackPort, MediaSource } from '../services/media/port.ts'
import type { Account } from '../services/process/port.ts'
import type { CopyPlace } from '../services/rclone/port.ts'

/** Mastodon's media folder on this machine, as its owner may use it. */
export interface MediaFolder {
  readonly source: MediaSource
  /** For rclone. */
  readonly from: Extract<CopyPlace, { kind: 'folder' }>
  readonly bringBack: BringBackPort
}

const READER = 'media-reader'

interface Running {
  readonly host: Pick<Host, 'userId' | 'execPath' | 'script' | 'environment'>
  readonly atEnd: (() => Promise<unknown>)[]
}

/**
 * Root reads and writes Mastodon's media with the rights of the folder's owner, in a process that has
 * no other: whoever has that account could lay links there to what only root may read. Everybody else
 * uses their own rights.
 */
export async function openMediaFolder(
  { host, atEnd }: Running,
  root: string,
): Promise<MediaFolder> {
  const owner = host.userId === 0 ? await ownerIfThere(root) : 0
  if (owner === 0) {
    const [{ localTree }, { connectBringBack }] = await Promise.all([
      import('../services/media/tree.ts'),
      import('../services/media/bring-back.ts'),
    ])
    const from = { kind: 'folder', path: root } as const
    return { source: localTree(root), from, bringBack: connectBringBack(root) }
  }
  const [{ startWorker }, { asOwner }] = await Promise.all([
    import('../services/process/worker.ts'),
    import('../services/media/as-owner.ts'),
  ])
  const { execPath, script, environment } = host
  const args = [READER, String(owner), root]
  const worker = startWorker({ node: execPath, script, args, environment, cwd: root })
  atEnd.push(async () => worker.close())
  const as = (await worker.call('account')) as Account
  const look = (key: string) => worker.call('look', key) as Promise<string | undefined>
  return { ...asOwner(root, worker), from: { kind: 'folder', path: root, as, look } }
}

/** A folder that is not there is told of by whoever reads it. */
async function ownerIfThere(root: string): Promise<number> {
  const { ownerOf } = await import('../services/media/owner.ts')
  try {
    return ownerOf(root)
  } catch {
    return 0
  }
}

/** What `openMediaFolder` starts: `media-reader UID FOLDER`. Everything is loaded before rights go. */
export const mediaReader: Command = {
  async run({ parent, become, keepSignals }, [uid = '', root = '']) {
    const { serveMedia } = await import('../services/media/as-owner.ts')
    if (parent === undefined || !/^[1-9]\d*$/.test(uid)) return 2
    // Ctrl-C at the terminal is for the process that asks, which may still have to tidy up.
    keepSignals()
    serveMedia(parent, root, become(Number(uid)))
    return 0
  },
}
