import { Problem } from '../../core/problem.ts'
import { installLine } from './install.ts'

/** The first release that knows R2 (`--s3-provider Cloudflare`) and doesn't fail on its answers. */
const OLDEST = [1, 59] as const

/**
 * `1.60.1` of what `rclone version` says, `rclone v1.60.1-DEV`, or of what any command says with -vv,
 * `rclone: Version "v1.60.1-DEV" starting with parameters`.
 */
export function parseVersion(output: string): string | undefined {
  return /^(?:rclone |.*rclone: Version ")v(\d+\.\d+(?:\.\d+)?)/m.exec(output)?.[1]
}

/** Whether this release can do what is asked of it here. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

export async function rcloneMissing(): Promise<Problem> {
  return new Problem({
    code: 'rclone-missing',
    what: 'rclone is not installed on this machine.',
    why: 'It is the program that carries the media to R2.',
    next: `Install it, then run this again:\n  ${await installLine()}`,
  })
}

export function rcloneTooOld(version: string): Problem {
  return new Problem({
    code: 'rclone-too-old',
    what: `rclone ${version} is too old for R2.`,
    why: `Version ${OLDEST.join('.')} or later is needed; older ones fail with R2's answers.`,
    next: 'Install a newer one as https://rclone.org/install/ says, then run this again.',
  })
}
