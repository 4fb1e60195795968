import { realpath, stat } from 'node:fs/promises'
import type { Ask } from './mastodon-containers.ts'
import { runningContainers } from './mastodon-containers.ts'
import type { Installation } from './port.ts'
import type { ProcessesPort, RunningProcess } from './processes-port.ts'
import { folderOf, type ProcEntry, readProcesses, unitOf } from './procfs.ts'

export interface ProcessesOptions {
  readonly installation: Pick<Installation, 'kind' | 'dir' | 'units'>
  /** Runs Docker's client, which is asked where Mastodon lives in containers. */
  readonly ask: Ask
  readonly now: () => Date
  /** `/proc` unless told. */
  readonly procRoot?: string
}

/** Mastodon's processes on this machine. Nothing is changed and no signal is sent. */
export function connectProcesses(options: ProcessesOptions): ProcessesPort {
  const { installation, ask } = options
  return {
    running: () =>
      installation.kind === 'docker'
        ? runningContainers(installation.dir, ask)
        : runningHere(options),
    changedAt: (path) =>
      stat(path).then(
        ({ mtime }) => mtime,
        () => undefined,
      ),
  }
}

async function runningHere(options: ProcessesOptions): Promise<RunningProcess[] | undefined> {
  const { installation, now, procRoot = '/proc' } = options
  const all = await readProcesses(procRoot, now())
  if (all === undefined) return undefined
  const { dir } = installation
  const home = dir === undefined ? undefined : await realpath(dir).catch(() => dir)
  const found: RunningProcess[] = []
  for (const process of all) {
    const role = roleOf(process.title)
    if (role === undefined || isWorker(process)) continue
    const unit = await unitOf(procRoot, process.pid)
    const units = [...installation.units.web, ...installation.units.sidekiq]
    const named = unit !== undefined && (units.includes(unit) || /^mastodon/.test(unit))
    const within = home !== undefined && (await folderOf(procRoot, process.pid)) === home
    if (named || within) found.push(described(process, role, unit, all))
  }
  return found
}

function described(
  process: ProcEntry,
  role: RunningProcess['role'],
  unit: string | undefined,
  all: readonly ProcEntry[],
): RunningProcess {
  const name = unit ?? `pid ${process.pid}`
  const workers = all.filter((other) => other.parent === process.pid && isWorker(other))
  if (workers.length === 0) return { role, name, startedAt: process.startedAt }
  const starts = workers.map(({ startedAt }) => startedAt.getTime())
  const first = Math.min(...starts)
  return {
    role,
    name,
    startedAt: new Date(first),
    below: {
      startedAt: process.startedAt,
      workers: workers.length,
      spreadMs: Math.max(...starts) - first,
    },
  }
}

const PROGRAM = /^(\S*\/)?(ruby[\d.]*|bundle|bundler|puma:?|sidekiq|node)( |$)/

/** By the command line, or the title that Puma and Sidekiq give themselves. */
function roleOf(title: string): RunningProcess['role'] | undefined {
  if (!PROGRAM.test(title)) return undefined
  if (/(^|[/ ])puma(:| |$)/.test(title)) return 'web'
  if (/(^|[/ ])sidekiq( |$)/.test(title)) return 'sidekiq'
  return /^(\S*\/)?node .*streaming/.test(title) ? 'streaming' : undefined
}

function isWorker({ title }: ProcEntry): boolean {
  return title.startsWith('puma: cluster worker')
}
