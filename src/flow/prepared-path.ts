import type { EnvFileOnDisk } from '../services/mastodon/port.ts'

/** Where `init` puts the block while other storage stays in force; `migrate` switches to it. */
export function preparedPath({ path }: Pick<EnvFileOnDisk, 'path'>): string {
  return `${path}.r2`
}
