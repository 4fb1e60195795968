import { readdirSync, readFileSync } from 'node:fs'

interface Process {
  readonly pid: number
  readonly parent: number
  /** Arguments, joined by spaces. */
  readonly argv: string
}

/** A process and all that it started, as /proc shows them now. */
export function familyOf(pid: number): Process[] {
  const all = processes()
  const family = all.filter((one) => one.pid === pid)
  for (const { pid: parent } of family) family.push(...all.filter((one) => one.parent === parent))
  return family
}

export function isAlive(pid: number): boolean {
  return processes().some((one) => one.pid === pid)
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (state === 'Z') return []
        const argv = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return [{ pid: Number(name), parent: Number(parent), argv }]
      } catch {
        return []
      }
    })
}
