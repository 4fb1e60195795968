import { readFiles } from './read-files.ts'
import { settingCheck } from './setting-check.ts'
import { isSecretSetting } from './storage-settings.ts'

/** Env files hold the keys, the database's password, the session secret. */
export const fileMode = settingCheck({
  id: 'env-file-mode',
  title: 'Who may read the env file',
  always: true,
  judge(_, at) {
    const open = readFiles(at).filter(({ file, statements }) => {
      const holdsSecrets = statements.some(({ key, value }) => isSecretSetting(key) && value !== '')
      return holdsSecrets && ((file.mode ?? 0) & 0o006) !== 0
    })
    if (open.length === 0) return { severity: 'ok', saw: 'not everybody' }
    return open.map(({ file: { path, mode = 0 } }) => ({
      severity: (mode & 0o002) === 0 ? ('warning' as const) : ('fault' as const),
      saw: `Every user of this machine can ${(mode & 0o002) === 0 ? 'read' : 'change'} ${path} (mode ${mode.toString(8)}).`,
      matters: "It holds the storage key, the database's password and the secrets of all sessions.",
      next: `If the file belongs to Mastodon's user or group (ls -l ${path}):\n  sudo chmod o= ${path}`,
    }))
  },
})
