import { settingCheck } from './setting-check.ts'

/** This tool makes a backup and writes the file in one go; who else changes it, comes later. */
const WRITING_MS = 60_000

/** YunoHost, for one, writes the env file anew with each upgrade (mastodon_ynh#385). */
export const reset = settingCheck({
  id: 'env-reset',
  title: 'Reset by an upgrade',
  always: true,
  async judge({ kind }, { installation, envReader }) {
    if (kind !== 'none') return { severity: 'ok', saw: 'the storage settings are there' }
    const file = installation.envFile
    const [last] = await envReader.backups(file)
    if (last === undefined) return { severity: 'skipped', saw: 'no storage is set up' }
    const changed = await envReader.changedAt(file)
    if (changed !== undefined && changed.getTime() - last.at.getTime() < WRITING_MS) {
      return { severity: 'ok', saw: 'the storage settings were taken back by undo' }
    }
    return {
      severity: 'fault',
      saw: `${installation.envFile.path} has no storage settings, though this tool once wrote them (${last.path} was kept then).`,
      matters:
        'Something has reset the file, as upgrades of YunoHost do. New media goes to the local disk, and links to older media are broken.',
      next: 'npx mastodon-r2 init puts the settings back; bucket and media stay as they are.',
    }
  },
})
