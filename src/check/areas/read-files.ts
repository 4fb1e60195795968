import type { EnvFileOnDisk, EnvStatement } from '../../services/mastodon/port.ts'
import type { SettingsWorld } from './storage-settings.ts'

export interface ReadFile {
  readonly file: EnvFileOnDisk
  /** Every path by which it is read: a symlink and what it means may both be. */
  readonly paths: readonly string[]
  /** Active assignments in the order of the file. */
  readonly statements: readonly EnvStatement[]
}

/** The env files that Mastodon reads, each once, the winning one first. */
export function readFiles({ installation: { envFiles }, envReader }: SettingsWorld): ReadFile[] {
  const first = envFiles.filter(
    ({ realPath }, index) => envFiles.findIndex((one) => one.realPath === realPath) === index,
  )
  return first.map((file) => ({
    file,
    paths: envFiles.filter(({ realPath }) => realPath === file.realPath).map(({ path }) => path),
    statements: envReader.statements(file.text).filter(({ active }) => active),
  }))
}

/** Of several assignments of a name the last one counts. */
export function lastOfEach(statements: readonly EnvStatement[]): EnvStatement[] {
  return [...new Map(statements.map((statement) => [statement.key, statement])).values()]
}

/** `NAME (file:line)`, as editors and grep write it. */
export function position({ file }: ReadFile, { key, line }: EnvStatement): string {
  return `${key} (${file.path}:${line})`
}
