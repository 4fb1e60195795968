import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export type EnvValues = ReadonlyMap<string, string>

/** What stands in `.env.production` at this moment; of two lines of one name the last one holds. */
export async function envValues(live: string): Promise<EnvValues> {
  const text = await readFile(join(live, '.env.production'), 'utf8').catch(() => '')
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? []
    if (name !== undefined) values.set(name, value.trim().replace(/^(['"])(.*)\1$/, '$2'))
  }
  return values
}
