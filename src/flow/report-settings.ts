import type { Report } from '../plan/report.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'

/** A report before anything is known. */
export function emptyReport(command: string, dryRun: boolean): Report {
  return {
    command,
    ok: false,
    dryRun,
    settings: {},
    steps: [],
    checks: [],
    env: null,
    warnings: [],
    next: [],
    problem: null,
  }
}

/** By their flags' names, which is what a person would type to change one. */
export function shownSettings(
  settings: Settings<Catalog>,
  names: readonly string[],
): Report['settings'] {
  const all = settingsOf(settings)
  const shown = names.flatMap((name) => {
    const setting = all[name]
    return setting ? [[settings.flag(name).slice(2), setting] as const] : []
  })
  return Object.fromEntries(shown)
}

/** All settings with their sources; secrets are masked, switches left out. */
export function settingsOf(settings: Settings<Catalog>): Report['settings'] {
  const shown = settings.entries().flatMap(([name, { text, value, source }]) => {
    if (typeof value === 'boolean') return []
    return [[name, { value: text ?? '****', source }] as const]
  })
  return Object.fromEntries(shown)
}
