import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface FakeProcess {
  readonly pid: number
  readonly parent?: number
  /** Seconds after boot. */
  readonly start: number
  readonly argv: string
  readonly name?: string
  readonly state?: string
  readonly cgroup?: string
  readonly cwd?: string
}

/** Seconds since the epoch. */
export const BOOT = 1_700_000_000

/** A /proc as Linux would show it; removed by `close`. */
export function procRoot(processes: readonly FakeProcess[]) {
  const root = mkdtempSync(join(tmpdir(), 'mastodon-r2-proc-'))
  writeFileSync(join(root, 'stat'), `cpu 1 2 3\nbtime ${BOOT}\nprocesses 9\n`)
  for (const process of processes) {
    const { pid, parent = 1, start, argv, name = 'ruby', state = 'S', cgroup, cwd } = process
    const folder = join(root, String(pid))
    mkdirSync(folder)
    const between = Array.from({ length: 17 }, () => '0').join(' ')
    writeFileSync(
      join(folder, 'stat'),
      `${pid} (${name}) ${state} ${parent} ${between} ${start * 100} 9 9\n`,
    )
    writeFileSync(join(folder, 'cmdline'), argv.replaceAll(' ', '\0'))
    writeFileSync(join(folder, 'cgroup'), cgroup ?? '0::/user.slice/session-1.scope\n')
    if (cwd !== undefined) symlinkSync(cwd, join(folder, 'cwd'))
  }
  return { root, close: () => rmSync(root, { recursive: true, force: true }) }
}
