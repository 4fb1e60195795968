import { Problem } from '../core/problem.ts'
import type { MediaFolder } from '../flow/media-folder.ts'
import type { RunnerPort } from '../services/process/port.ts'
import type { Destination } from './leaving.ts'

/** One line alone: what `init` prepared stays for a way back to R2. */
const OFF = new Map([['S3_ENABLED', 'false']])

/** Mastodon's media folder on this machine. */
export function diskDestination(
  { source, from, landing, bringBack }: MediaFolder,
  runner: RunnerPort,
): Destination {
  const { as } = from
  const stage = { kind: 'folder', path: landing.stage, ...(as && { as }) } as const
  return {
    kind: 'disk',
    it: 'the disk',
    name: landing.folder,
    words: { fetch: 'fetch', fetched: 'fetched', on: 'on the disk' },
    source,
    isClosed: (key, hidden) => hidden.has(key),
    closedApart: false,
    to: () => stage,
    open: () => landing.open(),
    close: () => landing.close(),
    free: () => landing.free(),
    place: (files) => landing.place(files),
    async add({ key, isClosed }, body) {
      if (isClosed) throw new Error('its name can not be fetched hidden')
      if (!(await bringBack.add(key, body))) throw new Error('another file of that name is there')
    },
    time: async () => new Date(),
    hide: (keys) => landing.hide(keys),
    settle: () => settled(runner, landing.folder),
    lines: () => OFF,
    retired: [],
    commented: (text) => text,
  }
}

/** Its file system, and where that can't be told alone, all of them. */
async function settled(runner: RunnerPort, folder: string): Promise<void> {
  for (const args of [['-f', folder], []]) {
    const { exitCode } = await runner.run({ program: 'sync', args, env: {} })
    if (exitCode === 0) return
  }
  throw new Problem({
    code: 'disk-not-settled',
    what: `What was fetched to ${folder} could not be seen to its place on the disk.`,
    why: '"sync" failed, which writes out what the system still holds in memory. Nothing was switched.',
    next: 'See what the disk has: dmesg | tail\nThen run this again.',
  })
}
