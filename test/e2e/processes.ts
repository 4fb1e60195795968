import { readdirSync, readFileSync } from 'node:fs'

interface Process {
  readonly pid: number
  readonly parent: number
  /** Arguments, joined by spaces. */
  readonly argv: string
}

/** A process and all that it started, as /proc shows them now. */
export function familyOf(pid: number): Process[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(Number(name))] as const)
  const family = parents.filter(([one]) => one === pid)
  for (const [parent] of family) family.push(...parents.filter(([, of]) => of === parent))
  return family.flatMap(([one, parent]) => {
    const argv = textOf(`/proc/${one}/cmdline`)?.replaceAll('\0', ' ')
    return argv === undefined || parent === undefined ? [] : [{ pid: one, parent, argv }]
  })
}

export function isAlive(pid: number): boolean {
  return parentOf(pid) !== undefined
}

/** undefined for what has ended, though nobody may have asked for its exit code yet. */
function parentOf(pid: number): number | undefined {
  const stat = textOf(`/proc/${pid}/stat`) ?? ''
  const [state = 'Z', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || parent === undefined ? undefined : Number(parent)
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
