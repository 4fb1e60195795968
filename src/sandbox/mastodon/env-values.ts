import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type EnvValues = ReadonlyMap<string, string>

/** What stands in `.env.production` at this moment; of two lines of one name the last one holds. */
export function envValues(live: string): EnvValues {
  const values = new Map<string, string>()
  for (const line of textOf(join(live, '.env.production')).split(/\r?\n/)) {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? []
    if (name !== undefined) values.set(name, value.trim().replace(/^(['"])(.*)\1$/, '$2'))
  }
  return values
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
