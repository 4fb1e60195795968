import type { Verdict } from '../../plan/verdict.ts'
import type { EnvStatement } from '../../services/mastodon/port.ts'
import { position, readFiles } from './read-files.ts'
import { settingCheck } from './setting-check.ts'
import { isStorageSetting, type SettingsWorld } from './storage-settings.ts'

const REFERENCE = /(?<!\\)\$\{?([A-Za-z0-9_]+)/g

/**
 * `$(command)` is run and `$NAME` filled in by Ruby's dotenv, in whatever setting it stands. What
 * follows the sign may be a piece of a password, so it is never shown.
 */
export const dollars = settingCheck({
  id: 'env-dollars',
  title: 'Dollar signs',
  always: true,
  judge(_, at) {
    const found = readFiles(at).flatMap((read) =>
      read.statements.flatMap((statement): Verdict[] => {
        const place = position(read, statement)
        if (statement.runs) return [command(place, statement)]
        return statement.expands ? variable(place, statement, at) : []
      }),
    )
    return found.length === 0 ? { severity: 'ok', saw: 'none that Mastodon would fill in' } : found
  },
})

function command(place: string, { key }: EnvStatement): Verdict {
  return {
    severity: 'fault',
    saw: `${place} has $(…) in its value.`,
    matters:
      'Mastodon runs what stands in the brackets as a command at each start, and takes what it prints. Other readers take the text as it stands.',
    next: quote(key),
  }
}

function variable(place: string, statement: EnvStatement, at: SettingsWorld): Verdict[] {
  const { key, raw } = statement
  const names = [...raw.matchAll(REFERENCE)].map(([, name = '']) => name)
  const isKnown = names.every((name) => at.installation.settings.has(name))
  if (isKnown && !isStorageSetting(key)) return []
  return [
    {
      severity: isStorageSetting(key) ? 'fault' : 'warning',
      saw: `${place} has a $ in its value.`,
      matters: isKnown
        ? 'Mastodon fills in the setting named behind it; systemd and Docker take the text as it stands.'
        : 'Mastodon takes what follows for the name of a setting; there is none of that name, so this piece of the value is lost.',
      next: quote(key),
    },
  ]
}

function quote(key: string): string {
  return isStorageSetting(key)
    ? `Write the value out, without the sign:\n  ${key}=…`
    : `Put the value into single quotes, if the sign is a part of it:\n  ${key}='…'`
}
