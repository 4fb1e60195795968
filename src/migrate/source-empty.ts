import { counted } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { shellWord } from '../core/shell-word.ts'
import type { Checkpoint } from '../services/checkpoint/port.ts'
import type { MediaSource } from '../services/media/port.ts'

/**
 * What a source that holds no file at all is; undefined where nothing was ever copied from it. A disk
 * that isn't mounted looks like that, and like one of which nothing is new.
 */
export function sourceEmpty(
  { kind, name }: Pick<MediaSource, 'kind' | 'name'>,
  { copied }: Pick<Checkpoint, 'copied'>,
): Problem | undefined {
  if (copied.objects === 0) return undefined
  const look =
    kind === 'local'
      ? `See whether its disk is mounted, then run this again:\n  ls ${shellWord(name)}\n  df ${shellWord(name)}`
      : 'Look there, and run this again once its objects are back.'
  return new Problem({
    code: 'source-empty',
    what: `${name} holds no file at all.`,
    why: `Earlier runs copied ${counted(copied.objects, 'file')} from there.`,
    next: `${look}\nIf all of it was removed on purpose after the switch, nothing is left to copy or to compare.`,
  })
}
