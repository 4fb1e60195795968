import type { Check, Verdict } from '../../plan/verdict.ts'
import { type SettingsWorld, type StorageSettings, storageSettings } from './storage-settings.ts'

export type SettingsCheck = Check<keyof SettingsWorld>

interface SettingCheck {
  readonly id: string
  readonly title: string
  /** Also asked where nothing, or another provider, is set up. */
  readonly always?: true
  judge(
    settings: StorageSettings,
    at: SettingsWorld,
  ): Verdict | readonly Verdict[] | Promise<Verdict | readonly Verdict[]>
}

/** A check of what the settings say, nothing else: no network, no waiting. */
export function settingCheck({ id, title, always, judge }: SettingCheck): SettingsCheck {
  return {
    id,
    about: 'settings',
    title,
    cost: 'look',
    async look(at) {
      const settings = storageSettings(at)
      if (!always && settings.kind !== 'r2') {
        const saw = settings.kind === 'none' ? 'no storage is set up' : 'another provider is in use'
        return [{ severity: 'skipped', saw }]
      }
      return [await judge(settings, at)].flat()
    },
  }
}
