import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { EnvFileOnDisk, EnvReader } from './port.ts'
import { readStatements } from './statements.ts'

/** The doctor's reader of env files; it never writes. */
export const envReader: EnvReader = {
  statements: (text) => readStatements(text),

  /** Named by writeEnvFile; a folder that can't be read holds none. */
  async backups({ realPath }: EnvFileOnDisk) {
    const folder = dirname(realPath)
    const names = await readdir(folder).catch((): string[] => [])
    const own = `${basename(realPath)}.mastodon-r2-`
    return names
      .filter((name) => name.startsWith(own) && name.endsWith('.bak'))
      .sort()
      .map((name) => join(folder, name))
  },
}
