import type { Verdict } from '../../plan/verdict.ts'
import type { EnvStatement } from '../../services/mastodon/port.ts'
import { lastOfEach, position, type ReadFile, readFiles } from './read-files.ts'
import { settingCheck } from './setting-check.ts'
import { isSecretSetting, isStorageSetting, type SettingsWorld } from './storage-settings.ts'

interface Odd {
  readonly place: string
  readonly statement: EnvStatement
  /** Mastodon gets something else than the line says to its own reader. */
  readonly isMisread: boolean
}

/**
 * Quotes, `export`, comments behind a value: Ruby's dotenv drops them, systemd and plain Docker keep
 * them or skip the line. A fault where that has happened here.
 */
export const plainLines = settingCheck({
  id: 'env-plain-lines',
  title: 'How the lines are written',
  always: true,
  judge(_, at) {
    const odd = readFiles(at).flatMap((read) => oddLines(read, at))
    const misread = odd.filter(({ isMisread }) => isMisread)
    const harmless = odd.filter(({ isMisread }) => !isMisread)
    const found = [
      ...(misread.length > 0 ? [keptBy(misread, at)] : []),
      ...(harmless.length > 0 ? [droppedHere(harmless, at)] : []),
    ]
    return found.length === 0
      ? { severity: 'ok', saw: 'plain KEY=value, read alike by all' }
      : found
  },
})

function oddLines(read: ReadFile, { installation }: SettingsWorld): Odd[] {
  return lastOfEach(read.statements).flatMap((statement) => {
    const { key, plain, expands, runs } = statement
    if (plain || expands || runs || !isStorageSetting(key)) return []
    const effective = installation.settings.get(key)
    const isFromHere = effective === undefined || read.paths.includes(effective.from)
    const isMisread = isFromHere && effective?.value !== statement.value
    return [{ place: position(read, statement), statement, isMisread }]
  })
}

function keptBy(odd: readonly Odd[], { installation }: SettingsWorld): Verdict {
  const reader = installation.kind === 'docker' ? 'Docker' : 'systemd'
  return {
    severity: 'fault',
    saw: `${listed(odd)}: Mastodon does not get the bare value.`,
    matters: `${reader} reads this file, and takes what stands around a value for a part of it, or skips the line.`,
    next: `Write just this (npx mastodon-r2 init does it, too):${rewritten(odd)}`,
  }
}

function droppedHere(odd: readonly Odd[], { installation }: SettingsWorld): Verdict {
  return {
    severity: installation.kind === 'none' ? 'warning' : 'note',
    saw: `${listed(odd)}.`,
    matters:
      "Mastodon's own reader drops that; systemd (EnvironmentFile) and docker run --env-file would take it for a part of the value, or skip the line.",
    next: `To be safe everywhere, write just this:${rewritten(odd)}`,
  }
}

function listed(odd: readonly Odd[]): string {
  return odd.map(({ place, statement }) => `${place} has ${oddity(statement)}`).join(', ')
}

function oddity({ exported, quoting, comment }: EnvStatement): string {
  if (comment !== undefined) return 'a comment behind the value'
  if (exported) return 'export before it'
  return quoting === 'none' ? 'blanks, a colon or a backslash in it' : 'quotes'
}

function rewritten(odd: readonly Odd[]): string {
  return odd
    .map(({ statement: { key, value } }) => {
      const isSafe = /^[A-Za-z0-9._:/,@%+=-]*$/.test(value)
      if (isSecretSetting(key)) return `\n  ${key}=(the value alone)`
      return isSafe ? `\n  ${key}=${value}` : `\n  ${key}=(without blanks and quotes)`
    })
    .join('')
}
