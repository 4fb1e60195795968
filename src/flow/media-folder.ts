import { Problem } from '../core/problem.ts'
import type { Command, Host } from '../host.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { BringBackPort, LandingPort, MediaSource } from '../services/media/port.ts'
import type { Account } from '../services/process/port.ts'
import type { CopyPlace } from '../services/rclone/port.ts'

/** Mastodon's media folder on this machine, as its owner may use it. */
export interface MediaFolder {
  readonly source: MediaSource
  /** For rclone. */
  readonly from: Extract<CopyPlace, { kind: 'folder' }>
  readonly bringBack: BringBackPort
  readonly landing: LandingPort
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
    const [{ localTree }, { connectBringBack, connectLanding }] = await Promise.all([
      import('../services/media/tree.ts'),
      import('../services/media/bring-back.ts'),
    ])
    const from = { kind: 'folder', path: root } as const
    return {
      source: localTree(root),
      from,
      bringBack: connectBringBack(root),
      landing: connectLanding(root),
    }
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

/** Nothing tells where the media is on this machine. `more`: another way, begins with a blank. */
export function noMediaFolder({ envFile }: Pick<Installation, 'envFile'>, more = ''): Problem {
  return new Problem({
    code: 'no-media-folder',
    what: 'The folder with the media was not found.',
    why: `It is public/system in Mastodon's folder, or what PAPERCLIP_ROOT_PATH says in ${envFile.path}.`,
    next: `Name the folder with the media: --media-dir DIR.${more}`,
    exit: 2,
  })
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
