import { Problem } from '../problem.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'

type Read = Pick<Installation, 'envFiles' | 'settings'>

/**
 * Problem `env-file-overruled` where something stronger than this file (a file that is read before
 * it, a systemd unit, the compose file) sets one of the values to something else.
 */
export function overruled(
  { envFiles, settings }: Read,
  { path: own }: Pick<EnvFileOnDisk, 'path'>,
  values: ReadonlyMap<string, string>,
): Problem | undefined {
  const files = envFiles.map(({ path }) => path)
  const rank = files.indexOf(own)
  const stronger = [...values].flatMap(([name, wanted]) => {
    const now = settings.get(name)
    if (!now || now.value === wanted || now.from === own) return []
    const isWeaker = rank >= 0 && files.indexOf(now.from) > rank
    return isWeaker ? [] : [{ name, from: now.from }]
  })
  const [first] = stronger
  if (!first) return undefined
  const names = stronger.map(({ name }) => name).join(', ')
  return new Problem({
    code: 'env-file-overruled',
    what: `${first.from} sets ${names}, and wins over ${own}.`,
    why: 'Mastodon would go on with the old values, whatever is written.',
    next: `Remove those lines from ${first.from}, and run this again.`,
    exit: 2,
  })
}
