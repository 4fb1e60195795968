import type { Verdict } from '../../plan/verdict.ts'
import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'
import { isSecretSetting, isStorageSetting, type StorageSettings } from './storage-settings.ts'

const PLACEHOLDER = /\{\{.*\}\}|^<[^>]*>$|^(your|my)[-_ ]?(bucket|account|access|secret|key)/is

/** Pieces of guides that were meant to be filled in or left out. */
export const leftovers = settingCheck({
  id: 'leftovers',
  title: 'Leftovers of guides',
  always: true,
  judge(settings, { installation }) {
    const unfilled = [...installation.settings]
      .filter(([name, { value }]) => isStorageSetting(name) && PLACEHOLDER.test(value))
      .map(([name, { value }]) => placeholder(name, value, settings))
    const ignored =
      settings.value('S3_DISABLE_CHECKSUM_MODE') === undefined ? [] : [unused(settings)]
    const found = [...unfilled, ...ignored]
    return found.length === 0 ? { severity: 'ok', saw: 'none' } : found
  },
})

function placeholder(name: string, value: string, settings: StorageSettings): Verdict {
  const what = isSecretSetting(name) ? 'a placeholder' : `the placeholder ${shown(value)}`
  return {
    severity: 'fault',
    saw: `${name} holds ${what} of a guide.`,
    matters: 'Your own value was never put in, so storage can not work.',
    next: `npx mastodon-r2 init puts it in; or by hand: ${settings.write(`${name}=(your value)`)}`,
  }
}

function unused(settings: StorageSettings): Verdict {
  return {
    severity: 'note',
    saw: 'S3_DISABLE_CHECKSUM_MODE is set.',
    matters: 'No released Mastodon reads it (only test versions of 4.2 did); it has no effect.',
    next: settings.remove('S3_DISABLE_CHECKSUM_MODE'),
  }
}
