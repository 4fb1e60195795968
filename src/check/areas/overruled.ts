import { lastOfEach, readFiles } from './read-files.ts'
import { settingCheck } from './setting-check.ts'

/** Another env file, the unit or the compose file wins over the file that people look at. */
export const overruled = settingCheck({
  id: 'env-overruled',
  title: 'Where the settings come from',
  always: true,
  judge({ remove }, at) {
    const { envFile, settings } = at.installation
    const own = readFiles(at).find(({ file }) => file.realPath === envFile.realPath)
    const found = lastOfEach(own?.statements ?? []).flatMap(({ key, value }) => {
      const effective = settings.get(key)
      const isElsewhere = effective !== undefined && !own?.paths.includes(effective.from)
      const isOurs = /^(S3_|AWS_)/.test(key) || key === 'EXTRA_MEDIA_HOSTS'
      return isOurs && isElsewhere && effective.value !== value
        ? [{ key, from: effective.from }]
        : []
    })
    if (found.length === 0) return { severity: 'ok', saw: envFile.path }
    return found.map(({ key, from }) => ({
      severity: 'fault' as const,
      saw: `${from} sets ${key}, too, to another value, and wins over ${envFile.path}.`,
      matters: 'Mastodon never sees the value in the env file; changes there have no effect.',
      next: remove(key),
    }))
  },
})
