import { Secret } from '../../core/secret.ts'
import type { Checked, Mend } from '../../plan/verdict.ts'
import type { EnvFileOnDisk, EnvReader, Installation } from '../../services/mastodon/port.ts'

/** What one env file is given; nothing else in it changes. */
export interface FileEdit {
  readonly file: EnvFileOnDisk
  readonly set: ReadonlyMap<string, string>
  /** Commented out. */
  readonly retire: readonly string[]
}

/** Why a setting is left as it is, by its name. */
export type Refused = ReadonlyMap<string, string>

type Read = Pick<Installation, 'envFile' | 'envFiles' | 'settings'>

/** What a verdict would have done; undefined where it proposes nothing of the kind. */
export function mendOf({ verdict }: Checked): Mend | undefined {
  return 'mend' in verdict ? verdict.mend : undefined
}

/** The settings that a mend is about. */
export function namesOf(mend: Mend): readonly string[] {
  if (mend.is === 'settings') return [...mend.values.keys()]
  return mend.is === 'bare' ? mend.names : []
}

/**
 * The mends of env files put together, file by file: a value that is proposed comes before one that
 * only loses what stands around it. `refused`: names that are left out.
 */
export function editsOf(
  mends: readonly Mend[],
  installation: Read,
  envReader: Pick<EnvReader, 'statements'>,
  refused: Refused,
): FileEdit[] {
  const wanted = new Map<string, string | undefined>()
  const files = new Map<string, Map<string, string | undefined>>()
  const put = (path: string, name: string, value: string | undefined) => {
    if (refused.has(name)) return
    const own = files.get(path) ?? new Map<string, string | undefined>()
    if (!own.has(name)) files.set(path, own.set(name, value))
  }
  for (const mend of mends) {
    if (mend.is !== 'settings') continue
    for (const [name, value] of mend.values) {
      wanted.set(name, value instanceof Secret ? value.reveal() : value)
      const from = installation.settings.get(name)?.from ?? installation.envFile.path
      put(from, name, wanted.get(name))
    }
  }
  for (const mend of mends) {
    if (mend.is !== 'bare') continue
    const file = fileAt(installation, mend.file)
    const active = envReader.statements(file?.text ?? '').filter((one) => one.active)
    for (const name of mend.names) {
      put(mend.file, name, active.findLast(({ key }) => key === name)?.value)
    }
  }
  return [...files].flatMap(([path, values]) => {
    const file = fileAt(installation, path)
    return file === undefined ? [] : [editOf(file, values)]
  })
}

function fileAt({ envFile, envFiles }: Read, path: string): EnvFileOnDisk | undefined {
  return [...envFiles, envFile].find((one) => one.path === path)
}

function editOf(file: EnvFileOnDisk, values: ReadonlyMap<string, string | undefined>): FileEdit {
  const set = new Map<string, string>()
  const retire: string[] = []
  for (const [name, value] of values) {
    if (value === undefined) retire.push(name)
    else set.set(name, value)
  }
  return { file, set, retire }
}
