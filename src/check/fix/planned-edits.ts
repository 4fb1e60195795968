import { Problem } from '../../core/problem.ts'
import type { EnvWriter } from '../../plan/step.ts'
import type { CheckWorld, Mend } from '../../plan/verdict.ts'
import { envFileNotWritable, type Installation } from '../../services/mastodon/port.ts'
import { lacks } from '../../setup/reach.ts'
import { editsOf, type FileEdit, namesOf, type Refused } from './edits.ts'
import { textOf } from './env-files.ts'

export interface EditsAt extends Pick<CheckWorld, 'installation' | 'envReader'> {
  readonly envWriter: Pick<EnvWriter, 'edit' | 'preview'>
  /** Why the bucket would not open with these settings; undefined where it does. */
  shutWith(after: Installation): Promise<string | undefined>
}

export interface PlannedEdits {
  readonly edits: readonly FileEdit[]
  readonly refused: Refused
}

/** They decide where uploads go: changed only where a bucket is seen to open with them. */
const ROUTE = ['S3_ENDPOINT', 'S3_BUCKET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

/** What can be written to env files, each line tried out first on a Mastodon as it would be. */
export async function plannedEdits(at: EditsAt, mends: readonly Mend[]): Promise<PlannedEdits> {
  const { installation, envReader } = at
  const refused = new Map(refusedAtOnce(at, mends))
  const planned = () => editsOf(mends, installation, envReader, refused)
  const refuse = (names: Iterable<string>, why: string) => {
    for (const name of names) if (!refused.has(name)) refused.set(name, why)
  }
  for (const edit of planned()) {
    const unwritable = unwritten(at, edit)
    if (unwritable !== undefined) refuse(namesIn(edit), unwritable)
  }
  for (const edit of planned()) {
    const after = await at.envWriter.preview(edit.file, textOf(at.envWriter, edit))
    const unread = unreadOf(edit, installation, after)
    refuse(unread, `Mastodon would not take it from ${edit.file.path}`)
    const route = namesIn(edit).filter((name) => ROUTE.includes(name) && !refused.has(name))
    const shut = route.length === 0 ? undefined : await at.shutWith(after)
    if (shut !== undefined) refuse(route, `${shut} with it either`)
  }
  return { edits: planned(), refused }
}

function refusedAtOnce({ installation }: EditsAt, mends: readonly Mend[]): Refused {
  const { declared, settings } = installation
  const names = mends.flatMap(namesOf)
  if (declared !== undefined) {
    return new Map(names.map((name) => [name, `${declared.place} makes the settings anew`]))
  }
  // Uploads that went to the disk meanwhile would be shown no more.
  const isOff = settings.get('S3_ENABLED')?.value !== 'true'
  if (!isOff || !names.includes('S3_ENABLED')) return new Map()
  return new Map([['S3_ENABLED', 'it would switch the storage over']])
}

function namesIn({ set, retire }: FileEdit): string[] {
  return [...set.keys(), ...retire]
}

function unwritten({ envWriter }: EditsAt, edit: FileEdit): string | undefined {
  if (!edit.file.writable) return reason(envFileNotWritable(edit.file.path, {}))
  try {
    textOf(envWriter, edit)
    return undefined
  } catch (error) {
    if (error instanceof Problem) return reason(error)
    throw error
  }
}

function reason({ what }: Problem): string {
  return what.replace(/\.$/, '')
}

/** Names that some service would still get otherwise. */
function unreadOf({ set, retire }: FileEdit, now: Installation, after: Installation): string[] {
  const value = (of: Installation, name: string) => of.settings.get(name)?.value
  const lacking = lacks(after, set).flatMap(({ missing, other }) => [
    ...missing,
    ...other.map(({ name }) => name),
  ])
  const other = [...set].filter(([name, wanted]) => value(after, name) !== wanted)
  const stays = retire.filter((name) => value(after, name) === value(now, name))
  return [...lacking, ...other.map(([name]) => name), ...stays]
}
