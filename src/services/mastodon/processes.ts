import { readFileSync } from 'node:fs'
import { readdir, readlink, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ask } from './compose/judge.ts'
import { runningContainers } from './containers.ts'
import type { Installation, ProcessesPort, RunningProcess } from './port.ts'

/** A process as Linux shows it below /proc. */
export interface ProcEntry {
  readonly pid: number
  readonly parent: number
  /** Precise to a second; never later than the real start (proc(5): btime, field 22 of stat). */
  readonly startedAt: Date
  /** Arguments joined by blanks, or the title that the program gave itself. */
  readonly title: string
}

/** USER_HZ, which is 100 on every platform that Node supports. */
const TICKS_PER_SECOND = 100

/** Every process; undefined when there is no /proc, or it hides what belongs to others. */
export async function readProcesses(root: string, now: Date): Promise<ProcEntry[] | undefined> {
  const stat = text(join(root, 'stat'))
  const [, boot] = /^btime (\d+)$/m.exec(stat ?? '') ?? []
  // Process 1 belongs to somebody else; with hidepid it is not there.
  if (boot === undefined || text(join(root, '1/stat')) === undefined) return undefined
  const pids = (await readdir(root)).filter((name) => /^\d+$/.test(name))
  const entries = pids.map((pid) => readEntry(root, pid, Number(boot)))
  const found = entries.filter((entry) => entry !== undefined)
  // Containers of some kinds show the host's boot time: then no start time can be believed.
  const isBelievable = found.every(({ startedAt }) => startedAt.getTime() < now.getTime() + 2_000)
  return isBelievable ? found : undefined
}

function readEntry(root: string, pid: string, boot: number) {
  const [stat, cmdline] = [text(join(root, pid, 'stat')), text(join(root, pid, 'cmdline'))]
  // The name in parentheses may hold anything, blanks and parentheses included.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent] = fields ?? []
  const ticks = fields?.[19]
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined
  const startedAt = new Date((boot + Number(ticks) / TICKS_PER_SECOND) * 1000)
  const title = (cmdline ?? '').replaceAll('\0', ' ').trim()
  return { pid: Number(pid), parent: Number(parent), startedAt, title }
}

/** systemd's unit of a process, from its control group; undefined outside of any service. */
function unitOf(root: string, pid: number): string | undefined {
  const groups = text(join(root, String(pid), 'cgroup')) ?? ''
  const named = groups.match(/[^/\n]+\.service(?=\/|$)/gm) ?? []
  return named.at(-1)?.replaceAll('\\x2d', '-')
}

/** The working directory; undefined where this user may not know it. */
function folderOf(root: string, pid: number): Promise<string | undefined> {
  return readlink(join(root, String(pid), 'cwd')).catch(() => undefined)
}

/** At once: the kernel has it at hand, and a machine has hundreds; in a queue each takes ten times as long. */
function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export interface ProcessesOptions {
  readonly installation: Pick<
    Installation,
    'kind' | 'dir' | 'units' | 'neighbours' | 'services' | 'composeNames'
  >
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
      installation.kind === 'docker' ? runningContainers(installation, ask) : runningHere(options),
    changedAt: (path) =>
      stat(path).then(
        ({ mtime }) => mtime,
        () => undefined,
      ),
  }
}

async function runningHere(options: ProcessesOptions): Promise<RunningProcess[] | undefined> {
  const { installation, now, procRoot = '/proc' } = options
  const { services = [] } = installation
  const all = await readProcesses(procRoot, now())
  if (all === undefined) return undefined
  const found: RunningProcess[] = []
  for (const process of all) {
    const role = roleOf(process.title)
    if (role === undefined || isWorker(process)) continue
    const { isOwn, unit } = await belonging(procRoot, process.pid, installation)
    if (!isOwn) continue
    const isHanded = services.some(({ name, isHanded }) => name === unit && isHanded)
    found.push(described(process, role, { unit, isHanded }, all))
  }
  return found
}

/** Whether a reload renews the settings of each Puma here, and its workers tell; false where none is seen. */
export async function hasPumaWorkers(
  installation: ProcessesOptions['installation'],
  { now, procRoot }: { readonly now: () => Date; readonly procRoot?: string },
): Promise<boolean> {
  const ask = () => Promise.reject(new Error('Docker is not asked.'))
  const more = procRoot === undefined ? {} : { procRoot }
  const running = await runningHere({ installation, ask, now, ...more })
  const web = (running ?? []).filter(({ role }) => role === 'web')
  return web.length > 0 && web.every(({ below }) => below !== undefined)
}

/**
 * Whether a process is this Mastodon's: by the unit that is known to start it, or the folder that it
 * runs in. Another Mastodon may run beside it, so a name alone tells only where nothing else does.
 */
export async function belonging(
  procRoot: string,
  pid: number,
  { dir, units, neighbours = [] }: Pick<Installation, 'dir' | 'units' | 'neighbours'>,
): Promise<{ readonly isOwn: boolean; readonly unit: string | undefined }> {
  const [unit, folder] = [unitOf(procRoot, pid), await folderOf(procRoot, pid)]
  const known = [...units.web, ...units.sidekiq]
  if (unit !== undefined && known.includes(unit)) return { isOwn: true, unit }
  // A container's folders are not this machine's, whatever their names.
  if (await isContained(procRoot, pid)) return { isOwn: false, unit }
  if (folder !== undefined) {
    const home = dir === undefined ? undefined : await realpath(dir).catch(() => dir)
    return { isOwn: folder === home, unit }
  }
  const mayBe = known.length === 0 || neighbours.length === 0
  return { isOwn: mayBe && unit !== undefined && /^mastodon/.test(unit), unit }
}

async function isContained(root: string, pid: number): Promise<boolean> {
  const groups = text(join(root, String(pid), 'cgroup')) ?? ''
  return /\b(docker|libpod|containerd|kubepods|lxc)\b/.test(groups)
}

function described(
  process: ProcEntry,
  role: RunningProcess['role'],
  { unit, isHanded }: { readonly unit: string | undefined; readonly isHanded: boolean },
  all: readonly ProcEntry[],
): RunningProcess {
  const name = unit ?? `pid ${process.pid}`
  // Puma executes itself on a reload, with the environment that systemd has once given it.
  if (isHanded) return { role, name, startedAt: process.startedAt, isHanded }
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
