import type { Verdict } from '../../plan/verdict.ts'
import { type ReadFile, readFiles } from './read-files.ts'
import { settingCheck } from './setting-check.ts'
import { isStorageSetting } from './storage-settings.ts'

/** Of two lines for one setting the last counts; people change the first and wonder. */
export const duplicates = settingCheck({
  id: 'env-duplicates',
  title: 'Settings that stand twice',
  always: true,
  judge(_, at) {
    const found = readFiles(at).flatMap(twice)
    return found.length === 0 ? { severity: 'ok', saw: 'none' } : found
  },
})

function twice({ file, statements }: ReadFile): Verdict[] {
  const names = new Set(statements.map(({ key }) => key).filter(isStorageSetting))
  return [...names].flatMap((name): Verdict[] => {
    const own = statements.filter(({ key }) => key === name)
    if (own.length < 2) return []
    const lines = own.map(({ line }) => line)
    const differ = new Set(own.map(({ value }) => value)).size > 1
    // sed takes lines, and a quoted value may go over several.
    const isSimple = own.every(({ raw }) => !/[\r\n]/.test(raw))
    const earlier = lines.slice(0, -1)
    return [
      {
        severity: differ ? 'warning' : 'note',
        saw: `${name} stands on the lines ${earlier.join(', ')} and ${lines.at(-1)} of ${file.path}${differ ? ', each with another value' : ''}.`,
        matters: 'Mastodon takes the last one; changing an earlier one has no effect.',
        next: isSimple
          ? `Keep line ${lines.at(-1)}, remove the rest:\n  sed -i.bak '${earlier.map((line) => `${line}d`).join(';')}' ${file.realPath}`
          : `Keep the one on line ${lines.at(-1)} of ${file.path}, remove the rest in an editor.`,
      },
    ]
  })
}
