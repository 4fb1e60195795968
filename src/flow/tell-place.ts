import { catalog } from '../settings/catalog.ts'
import { shellWord } from '../settings/replay.ts'
import type { Resolved } from '../settings/resolve.ts'
import type { Ui } from '../ui/port.ts'

/** A line to type that does not say for itself where Mastodon is. */
const LINE =
  /\bnpx mastodon-r2 (?:init|check|migrate|redirects|rotate|undo)\b(?!.* --(?:mastodon-dir|env-file)\b)/g

/**
 * The same voice, but every line to type repeats where this run was told that Mastodon is: typed as it
 * stands it would be about another server, or none.
 */
export function tellPlace(ui: Ui, entries: readonly (readonly [string, Resolved])[]): Ui {
  const words = entries.flatMap(([name, { text }]) => {
    const setting = name === 'mastodonDir' || name === 'envFile' ? catalog[name] : undefined
    return setting ? [` ${setting.flag} ${shellWord(String(text))}`] : []
  })
  if (words.length === 0) return ui
  const place = words.join('')
  const say = <T>(told: T) => placed(told, (text) => text.replace(LINE, (line) => line + place))
  return {
    ...ui,
    say: (text) => ui.say(say(text)),
    warn: (text) => ui.warn(say(text)),
    note: (title, lines) => ui.note(title, say(lines)),
    ended: (outcome) => ui.ended(say(outcome)),
    showPlan: (plan, settings, title) => ui.showPlan(say(plan), settings, title),
    showChecks: (checked, shown) => ui.showChecks(say(checked), shown),
    finish: (report, closing) => ui.finish(say(report), say(closing)),
  }
}

/** Every text of plain data; what is an instance of something is left as it is. */
function placed<T>(told: T, place: (text: string) => string): T {
  const of = (value: unknown): unknown => {
    if (typeof value === 'string') return place(value)
    if (Array.isArray(value)) return value.map(of)
    if (value === null || typeof value !== 'object') return value
    if (Object.getPrototypeOf(value) !== Object.prototype) return value
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, of(part)]))
  }
  return of(told) as T
}
