import { Problem } from '../core/problem.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'

type Read = Pick<Installation, 'envFiles' | 'settings'>

/**
 * Problem `env-file-overruled` where something stronger than this file (a file that is read before
 * it, a systemd unit, the compose file) sets one of the values to something else: writing would look
 * done and change nothing. `instead`: what else could be done about it.
 */
export function overruled(
  { envFiles, settings }: Read,
  { path: own }: Pick<EnvFileOnDisk, 'path'>,
  values: ReadonlyMap<string, string>,
  instead = 'and run this again',
): Problem | undefined {
  const files = envFiles.map(({ path }) => path)
  const rank = files.indexOf(own)
  const stronger = [...values].flatMap(([name, wanted]) => {
    const now = settings.get(name)
    if (!now || now.value === wanted || now.from === own) return []
    const nowRank = files.indexOf(now.from)
    const isWeaker = nowRank >= 0 && (rank < 0 ? isBase(now.from) : nowRank > rank)
    return isWeaker ? [] : [{ name, from: now.from }]
  })
  const [first] = stronger
  if (!first) return undefined
  const names = stronger.map(({ name }) => name).join(', ')
  return new Problem({
    code: 'env-file-overruled',
    what: `${first.from} sets ${names}, and wins over ${own}.`,
    why: 'Mastodon would go on with the old values, whatever is written.',
    next: `Remove those lines from ${first.from}, ${instead}.`,
    exit: 2,
  })
}

/** `.env` is the only file weaker than a `.env.production` that does not exist yet. */
function isBase(path: string): boolean {
  return path.endsWith('/.env')
}
