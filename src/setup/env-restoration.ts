import { Problem } from '../core/problem.ts'
import { hindrances, readR2Endpoint, SINGLE_REQUEST, storageNames } from '../flow/mastodon-here.ts'
import type { EnvWriter, Minting } from '../plan/step.ts'
import { ADDED } from '../services/mastodon/env-edit.ts'
import type { EnvFileOnDisk } from '../services/mastodon/port.ts'
import { EXTRA_HOSTS, hostBefore, withExtraHost } from './media-hosts.ts'

/** What `undo` does to an env file. */
export type EnvRestoration =
  /** It holds no settings of this bucket. */
  | { readonly is: 'clean' }
  /** It does, and nothing tells that this tool wrote them. */
  | { readonly is: 'foreign' }
  | {
      readonly is: 'write'
      readonly text: string
      /** `whole`: the backup, byte for byte. `lines`: the storage lines of it. `cut`: no backup. */
      readonly how: 'whole' | 'lines' | 'cut'
      readonly backup: string | undefined
    }
  /** Nothing else is in it: `init` made the file. */
  | { readonly is: 'remove' }

/** A copy that this tool made before it changed an env file. */
export interface EnvBackup {
  readonly path: string
  readonly text: string
}

/** Reading and putting back lines of env files; all of it pure. */
export interface EnvLines {
  /** Last active value of each setting. */
  settings(text: string): ReadonlyMap<string, { readonly value: string }>
  /** `text` with the lines of `names` as `before` has them; all else stays. */
  restore(text: string, before: string, what: RestoredLines): string
}

export interface RestoredLines {
  /** Settings that were written: they get the lines of before, or go. */
  readonly names: readonly string[]
  /** Settings that were commented out: uncommented where `before` has them active. */
  readonly retired: readonly string[]
  /** Comment lines that were written beside the settings. */
  readonly marks: readonly string[]
}

export interface Restorable {
  readonly setup: Minting
  readonly envWriter: EnvWriter
  readonly lines: EnvLines
  readonly file: EnvFileOnDisk
  /** Newest first. */
  readonly backups: readonly EnvBackup[]
  /** Ids of the keys that bear a name which only this tool gives. */
  readonly ownKeys: ReadonlySet<string>
}

type Values = ReadonlyMap<string, { readonly value: string }>

/**
 * The newest backup of a time before this tool's settings tells what to put back. The file becomes
 * that backup only if it differs from it in nothing but what `init` would write into it.
 */
export function envRestoration(at: Restorable): EnvRestoration {
  const { setup, envWriter, lines, file, backups } = at
  const now = lines.settings(file.text)
  if (!file.exists || !isAbout(setup, now)) return { is: 'clean' }
  const marks = commentsOf(envWriter)
  const backup = backups.find(({ text }) => !isOurs(at, text, marks))
  if (backup && isOnlyOurs(at, backup.text, now)) {
    return { is: 'write', text: backup.text, how: 'whole', backup: backup.path }
  }
  if (backup) {
    const before = lines.settings(backup.text)
    const retired = [...hindrances(before).keys()]
    const kept = hostsKept(setup, before, now)
    const text = lines.restore(file.text, backup.text, {
      names: [...storageNames, ...kept.keys()],
      retired,
      marks: kept.size === 0 ? marks : [...marks, ADDED],
    })
    return { is: 'write', text, how: 'lines', backup: backup.path }
  }
  if (!isSigned(at, file.text, marks)) return { is: 'foreign' }
  const text = lines.restore(file.text, '', { names: storageNames, retired: [], marks })
  if (text.trim() === '') return { is: 'remove' }
  return { is: 'write', text, how: 'cut', backup: undefined }
}

/** Whether settings point Mastodon at this bucket, switched on or not. */
function isAbout(setup: Minting, values: Values): boolean {
  const endpoint = (values.get('S3_ENDPOINT')?.value ?? '').replace(/\/+$/, '')
  const place = readR2Endpoint(endpoint)
  const isHere =
    endpoint === setup.s3Endpoint ||
    (place?.accountId === setup.at.accountId && place.jurisdiction === setup.at.jurisdiction)
  return isHere && values.get('S3_BUCKET')?.value === setup.at.bucket
}

/** As `init` writes it; a setup made by hand rarely has the empty S3_PERMISSION. */
function isOurs(at: Restorable, text: string, marks: readonly string[]): boolean {
  const values = at.lines.settings(text)
  if (!isAbout(at.setup, values)) return false
  const value = (name: string) => values.get(name)?.value
  const isForm = value('S3_REGION') === 'auto' && value('S3_PERMISSION') === ''
  return (isForm && value('S3_PROTOCOL') === 'https') || isSigned(at, text, marks)
}

/** Our comments stand in it, or a key of ours. */
function isSigned({ ownKeys }: Restorable, text: string, marks: readonly string[]): boolean {
  const isMarked = marks.some((mark) => text.split(/\r?\n/).includes(mark))
  return isMarked || [...ownKeys].some((id) => text.includes(id))
}

/** The line for the host of before, as a switch writes it; empty where this one is another. */
function hostsKept(setup: Minting, before: Values, now: Values): ReadonlyMap<string, string> {
  const host = hostBefore(before, setup)
  const written = host === undefined ? undefined : withExtraHost(before, host)
  const isOurs = written !== undefined && written === now.get(EXTRA_HOSTS)?.value
  return new Map(isOurs ? [[EXTRA_HOSTS, written]] : [])
}

function isOnlyOurs({ setup, envWriter, lines, file }: Restorable, before: string, now: Values) {
  const values = new Map<string, string>()
  for (const name of storageNames) {
    const value = now.get(name)?.value
    if (value === undefined && name === SINGLE_REQUEST) continue
    if (value === undefined || !/^[A-Za-z0-9._:/,@%+=-]*$/.test(value)) return false
    values.set(name, value)
  }
  const settings = lines.settings(before)
  const kept = hostsKept(setup, settings, now)
  try {
    const text = envWriter.edit(before, values, [...hindrances(settings).keys()])
    return (kept.size === 0 ? text : envWriter.edit(text, kept, [])) === file.text
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

function commentsOf({ render }: EnvWriter): string[] {
  const empty = new Map(storageNames.map((name) => [name, '']))
  return render(empty)
    .split('\n')
    .filter((line) => line.startsWith('#'))
}
