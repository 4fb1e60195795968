import { statSync } from 'node:fs'
import { Cancelled, codeOf } from '../../core/problem.ts'
import type { Account, WorkerParent } from '../process/port.ts'
import { serveWorker, type Worker } from '../process/worker.ts'
import { connectBringBack, connectLanding } from './bring-back.ts'
import type {
  BringBackPort,
  LandingFile,
  LandingPort,
  MediaFile,
  MediaSource,
  Oddity,
  ReadOptions,
} from './port.ts'
import { localTree } from './tree.ts'
import { folderFs } from './walk.ts'

/** A batch of files in columns: a million small objects would take longer to send than to find. */
interface Columns {
  /** Each key ends with a NUL, which no name holds. */
  readonly keys: string
  readonly sizes: Float64Array
  readonly times: Float64Array
  readonly written: Float64Array
  readonly modes: Uint16Array
  /** Of the walk since the batch before. */
  readonly oddities: readonly Oddity[]
}

/** The folder that this process was started in, whatever its account may search on the way to it. */
const HERE = '/proc/self/cwd'

/** Answers what `asOwner` asks, with the rights of `account`, which this process has by now. */
export function serveMedia(parent: WorkerParent, root: string, account: Account): void {
  const { uid, groups, name } = account
  const who =
    name === undefined ? `the owner of the media folder (user ${uid})` : `the user ${name}`
  const tree = localTree(HERE, { reader: { uid, gids: groups }, who, name: root, fs: folderFs })
  const back = connectBringBack(HERE, root)
  const landing = connectLanding(HERE, root)
  serveWorker(parent, {
    account: () => account,
    files: (options: ReadOptions) => batches(tree, options),
    find: (key: string) => tree.find(key),
    read: (key: string) => tree.read(key),
    content: (key: string) => tree.content?.(key),
    look: (key: string) => codeOfLooking(`${HERE}/${key}`),
    add: (key: string, body: Uint8Array) => back.add(key, body),
    openLanding: () => landing.open(),
    closeLanding: () => landing.close(),
    free: () => landing.free(),
    place: (files: readonly LandingFile[]) => landing.place(files),
    hide: (keys: readonly string[]) => landing.hide(keys),
  })
}

/** The system's error code; undefined where there is something. */
function codeOfLooking(path: string): string | undefined {
  try {
    statSync(path)
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

async function* batches(tree: MediaSource, options: ReadOptions): AsyncGenerator<Columns> {
  let oddities: Oddity[] = []
  const taken = () => {
    const told = oddities
    oddities = []
    return told
  }
  const onOddity = (oddity: Oddity) => void oddities.push(oddity)
  for await (const files of tree.files({ ...options, onOddity })) yield columns(files, taken())
  if (oddities.length > 0) yield columns([], taken())
}

function columns(files: readonly MediaFile[], oddities: readonly Oddity[]): Columns {
  return {
    keys: files.map(({ key }) => `${key}\0`).join(''),
    sizes: Float64Array.from(files, ({ size }) => size),
    times: Float64Array.from(files, ({ changedAt }) => changedAt),
    written: Float64Array.from(files, ({ writtenAt = Number.NaN }) => writtenAt),
    modes: Uint16Array.from(files, ({ mode = 0 }) => mode),
    oddities,
  }
}

/** Mastodon's media folder, read and written with the rights of its owner alone. */
export function asOwner(
  root: string,
  worker: Worker,
): {
  readonly source: MediaSource
  readonly bringBack: BringBackPort
  readonly landing: LandingPort
} {
  const source: MediaSource = {
    kind: 'local',
    name: root,
    async *files({ onOddity, signal, ...options }: ReadOptions = {}) {
      for await (const piece of worker.pieces('files', options)) {
        if (signal?.aborted) throw new Cancelled()
        const batch = piece as Columns
        for (const oddity of batch.oddities) onOddity?.(oddity)
        const files = rows(batch)
        if (files.length > 0) yield files
      }
      if (signal?.aborted) throw new Cancelled()
    },
    find: (key) => worker.call('find', key) as Promise<MediaFile | undefined>,
    read: (key) => worker.call('read', key) as Promise<Uint8Array>,
    content: (key) => worker.pieces('content', key) as AsyncIterable<Uint8Array>,
  }
  const bringBack: BringBackPort = {
    folder: root,
    add: (key, body) => worker.call('add', key, body) as Promise<boolean>,
  }
  const { stage } = connectLanding(root)
  const landing: LandingPort = {
    folder: root,
    stage,
    open: async () => void (await worker.call('openLanding')),
    close: async () => void (await worker.call('closeLanding')),
    free: () => worker.call('free') as Promise<number>,
    place: (files) => worker.call('place', files) as ReturnType<LandingPort['place']>,
    hide: (keys) => worker.call('hide', keys) as ReturnType<LandingPort['hide']>,
  }
  return { source, bringBack, landing }
}

function rows({ keys, sizes, times, written, modes }: Columns): MediaFile[] {
  const names = keys.split('\0')
  return Array.from(sizes, (size, index) => ({
    key: names[index] ?? '',
    size,
    changedAt: times[index] ?? 0,
    writtenAt: written[index] ?? Number.NaN,
    mode: modes[index],
  }))
}
