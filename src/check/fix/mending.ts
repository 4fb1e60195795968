import { prose, type Text } from '../../core/to-type.ts'
import type { EnvWriter, StepIn, World } from '../../plan/step.ts'
import type { Checked, CheckWorld, Mend } from '../../plan/verdict.ts'
import { isOpenToOthers, isOwnersAlone, type OthersMay } from '../../services/mastodon/env-mode.ts'
import type { EnvFileOnDisk, Installation } from '../../services/mastodon/port.ts'
import { type CloudflareSeen, reasonsOf, stepsThere } from './at-cloudflare.ts'
import { mendOf, namesOf } from './edits.ts'
import { envLines, envMode } from './env-files.ts'
import { plannedEdits } from './planned-edits.ts'

export type FixWorld = Pick<World, 'clock' | 'facts' | 'envWriter'>

export interface MendingAt extends Pick<CheckWorld, 'installation' | 'envReader'> {
  readonly envWriter: Pick<EnvWriter, 'edit' | 'preview'>
  readonly cloudflare: CloudflareSeen | undefined
  /** Why the bucket would not open with these settings; undefined where it does. */
  shutWith(after: Installation): Promise<string | undefined>
}

/** What can be put right safely, and why something can't. */
export interface Mending {
  readonly steps: readonly StepIn<FixWorld>[]
  /** Env files that are changed: no other run may change them meanwhile. */
  readonly files: readonly EnvFileOnDisk[]
  /** Whether the plan puts it right. */
  isMended(one: Checked): boolean
  /** Why something that could be put right is not in the plan; undefined where it never could. */
  whyNot(one: Checked): Text | undefined
}

/** Settles for each finding whether it can be put right without anybody's choice, and looks at it. */
export async function planMending(at: MendingAt, found: readonly Checked[]): Promise<Mending> {
  const { installation, cloudflare } = at
  const mends = found.flatMap((one) => mendOf(one) ?? [])
  const { edits, refused } = await plannedEdits(at, mends)
  const modes = await modesOf(installation, mends)
  const there = await stepsThere(reasonsOf(found), cloudflare)
  const closed = modes.filter(({ may }) => may !== undefined)
  const whyNot = (mend: Mend): Text | undefined => {
    if (mend.is === 'mode') {
      return modes.find(({ file }) => file.realPath === mend.file)?.why
    }
    const names = mend.is === 'steps' ? mend.ids : namesOf(mend)
    const reasons: ReadonlyMap<string, Text> = mend.is === 'steps' ? there.refused : refused
    const name = names.find((one) => reasons.has(one))
    const why = name === undefined ? undefined : reasons.get(name)
    return why === undefined || mend.is === 'steps' ? why : prose`${name ?? ''}: ${why}`
  }
  return {
    steps: [
      ...(edits.length > 0 ? [envLines(edits)] : []),
      ...(closed.length > 0
        ? [envMode(closed.flatMap(({ file, may }) => (may ? [{ file, may }] : [])))]
        : []),
      ...there.steps,
    ],
    files: [...new Set([...edits, ...closed].map(({ file }) => file))],
    isMended: (one) => {
      const mend = mendOf(one)
      return mend !== undefined && whyNot(mend) === undefined
    },
    whyNot: (one) => {
      const mend = mendOf(one)
      return mend && whyNot(mend)
    },
  }
}

interface Mode {
  readonly file: EnvFileOnDisk
  /** What is taken from everybody; undefined where nothing can be. */
  readonly may: OthersMay | undefined
  /** Why that is not all of it. */
  readonly why: string | undefined
}

async function modesOf(installation: Installation, mends: readonly Mend[]): Promise<Mode[]> {
  const { envFiles } = installation
  const paths = new Set(mends.flatMap((mend) => (mend.is === 'mode' ? [mend.file] : [])))
  const files = [...paths].flatMap((path) => envFiles.find((one) => one.realPath === path) ?? [])
  return Promise.all(files.map(async (file) => ({ file, ...(await modeOf(file, installation)) })))
}

async function modeOf(file: EnvFileOnDisk, at: Installation): Promise<Pick<Mode, 'may' | 'why'>> {
  if (!file.writable) return { may: undefined, why: `${file.path} can't be changed by you` }
  if (await isOwnersAlone(file, at)) return { may: 'all', why: undefined }
  const why = `nothing tells that Mastodon runs as the owner of ${file.path}, so it may have to be read by others`
  // Whoever Mastodon runs as, it reads the file and never changes it.
  return { may: (await isOpenToOthers(file, 'write')) ? 'write' : undefined, why }
}
