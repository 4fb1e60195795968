import { basename, dirname } from 'node:path'
import { Problem } from '../core/problem.ts'
import { shellWord } from '../core/shell-word.ts'
import { asRoot, prose, type Text } from '../core/to-type.ts'
import { strayLine } from '../services/mastodon/env-text.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { refusedLine } from '../services/mastodon/systemd.ts'

export interface NotUtf8 {
  /** `FILE:LINE`, as editors and grep write it. */
  readonly place: string
  readonly why: string
  readonly next: Text
}

/**
 * Env files with a byte that is not UTF-8. Ruby's dotenv raises for one wherever it stands, so that Mastodon
 * goes on as it is and does not start again; systemd does so for one in a setting. Compose puts another
 * sign in its place.
 */
export function notUtf8({
  kind,
  dir,
  envFiles,
}: Pick<Installation, 'kind' | 'dir' | 'envFiles'>): NotUtf8[] {
  if (kind === 'docker') return []
  return envFiles.flatMap(({ path, text }) => {
    const isOfUnits = kind === 'systemd' && !isOfRails(path, dir)
    const line = isOfUnits ? refusedLine(text) : strayLine(text)
    if (line === undefined) return []
    const why = isOfUnits
      ? 'systemd refuses the whole file for it: nothing of it is handed on, and a unit that needs it does not start again.'
      : "Mastodon's own reader refuses the whole file for it, also in a comment: Mastodon goes on as it is, and does not start again."
    const shown = asRoot(`sed -n ${line}l ${shellWord(path)}`)
    return [
      {
        place: `${path}:${line}`,
        why,
        next: prose`Write that sign anew in an editor that saves UTF-8, or take it out. It is among those shown as \\ and three digits by: ${shown}`,
      },
    ]
  })
}

/** Mastodon's env files all begin so. */
function isOfRails(path: string, dir: string | undefined): boolean {
  return dirname(path) === dir && /^\.env(\.|$)/.test(basename(path))
}

/** Problem `env-file-not-utf8`: with what is to be written Mastodon would not start again. */
export function neverStarts(installation: Installation): Problem | undefined {
  const [first] = notUtf8(installation)
  if (first === undefined) return undefined
  return new Problem({
    code: 'env-file-not-utf8',
    what: `${first.place} has a byte that is no UTF-8.`,
    why: first.why,
    next: prose`${first.next}\nThen run this again.`,
    exit: 2,
  })
}
