import { stat } from 'node:fs/promises'
import { listBackups } from './backup-name.ts'
import { readStatements } from './env-text.ts'
import type { EnvReader } from './port.ts'

/** The doctor's reader of env files; it never writes. */
export const envReader: EnvReader = {
  statements: (text) => readStatements(text),
  backups: ({ realPath }) => listBackups(realPath),
  changedAt: ({ realPath }) =>
    stat(realPath).then(
      ({ mtime }) => mtime,
      () => undefined,
    ),
}
