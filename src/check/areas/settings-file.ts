import { shellWord } from '../../core/shell-word.ts'
import { asRoot, prose, toType } from '../../core/to-type.ts'
import { hindrances } from '../../flow/mastodon-here.ts'
import type { Mend, Severity, Verdict } from '../../plan/verdict.ts'
import type { EnvFileOnDisk, EnvStatement } from '../../services/mastodon/port.ts'
import {
  isSecretSetting,
  isStorageSetting,
  type SettingsCheck,
  type SettingsWorld,
  settingCheck,
  shown,
} from './setting-check.ts'

export interface ReadFile {
  readonly file: EnvFileOnDisk
  /** Every path by which it is read: a symlink and what it means may both be. */
  readonly paths: readonly string[]
  /** Active assignments in the order of the file. */
  readonly statements: readonly EnvStatement[]
}

/** The env files that Mastodon reads, each once, the winning one first. */
export function readFiles({ installation: { envFiles }, envReader }: SettingsWorld): ReadFile[] {
  const first = envFiles.filter(
    ({ realPath }, index) => envFiles.findIndex((one) => one.realPath === realPath) === index,
  )
  return first.map((file) => ({
    file,
    paths: envFiles.filter(({ realPath }) => realPath === file.realPath).map(({ path }) => path),
    statements: envReader.statements(file.text).filter(({ active }) => active),
  }))
}

/** Of several assignments of a name the last one counts. */
function lastOfEach(statements: readonly EnvStatement[]): EnvStatement[] {
  return [...new Map(statements.map((statement) => [statement.key, statement])).values()]
}

/** `NAME (file:line)`, as editors and grep write it. */
export function position({ file }: ReadFile, { key, line }: EnvStatement): string {
  return `${key} (${file.path}:${line})`
}

const REFERENCE = /(?<!\\)\$\{?([A-Za-z0-9_]+)/g

/**
 * `$(command)` is run and `$NAME` filled in by Ruby's dotenv, in whatever setting it stands. What
 * follows the sign may be a piece of a password, so it is never shown.
 */
export const dollars = settingCheck({
  id: 'env-dollars',
  title: 'Dollar signs',
  always: true,
  judge(_, at) {
    const found = readFiles(at).flatMap((read) =>
      read.statements.flatMap((statement): Verdict[] => {
        const place = position(read, statement)
        if (statement.runs) return [command(place, statement)]
        return statement.expands ? variable(place, statement, at) : []
      }),
    )
    return found.length === 0 ? { severity: 'ok', saw: 'none that Mastodon would fill in' } : found
  },
})

function command(place: string, { key }: EnvStatement): Verdict {
  return {
    severity: 'fault',
    saw: `${place} has $(…) in its value.`,
    matters:
      'Mastodon runs what stands in the brackets as a command at each start, and takes what it prints. Other readers take the text as it stands.',
    next: quote(key),
  }
}

function variable(place: string, statement: EnvStatement, at: SettingsWorld): Verdict[] {
  const { key, raw } = statement
  const names = [...raw.matchAll(REFERENCE)].map(([, name = '']) => name)
  const isKnown = names.every((name) => at.installation.settings.has(name))
  if (isKnown && !isStorageSetting(key)) return []
  return [
    {
      severity: isStorageSetting(key) ? 'fault' : 'warning',
      saw: `${place} has a $ in its value.`,
      matters: isKnown
        ? 'Mastodon fills in the setting named behind it; systemd and Docker take the text as it stands.'
        : 'Mastodon takes what follows for the name of a setting; there is none of that name, so this piece of the value is lost.',
      next: quote(key),
    },
  ]
}

function quote(key: string): string {
  return isStorageSetting(key)
    ? `Write the value out, without the sign:\n  ${key}=…`
    : `Put the value into single quotes, if the sign is a part of it:\n  ${key}='…'`
}

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

interface Repeated {
  readonly name: string
  /** All but the last, which counts. */
  readonly earlier: readonly EnvStatement[]
  readonly last: EnvStatement
  readonly differs: boolean
}

function twice({ file, statements }: ReadFile): Verdict[] {
  const names = [...new Set(statements.map(({ key }) => key).filter(isStorageSetting))]
  const repeated = names.flatMap((name): Repeated[] => {
    const own = statements.filter(({ key }) => key === name)
    const last = own.at(-1)
    if (own.length < 2 || last === undefined) return []
    const differs = new Set(own.map(({ value }) => value)).size > 1
    return [{ name, earlier: own.slice(0, -1), last, differs }]
  })
  if (repeated.length === 0) return []
  const all = repeated.flatMap(({ earlier, last }) => [...earlier, last])
  // sed takes lines, and a quoted value may go over several.
  const isSimple = all.every(({ raw }) => !/[\r\n]/.test(raw))
  const kept = repeated.map(({ last }) => last.line)
  const keep = kept.length === 1 ? `line ${kept[0]}` : `the lines ${kept.join(', ')}`
  return [
    {
      severity: repeated.some(({ differs }) => differs) ? 'warning' : 'note',
      saw: `In ${file.path} ${repeated.map(linesOf).join('; ')}.`,
      matters: 'Mastodon takes the last one; changing an earlier one has no effect.',
      ...bare(
        file,
        repeated.map(({ last }) => last),
      ),
      next: isSimple
        ? `Keep ${keep}, remove the rest; all at once, as that changes the numbers of lines:\n  sed -i.bak ${shellWord(repeated.flatMap(({ earlier }) => earlier.map(removal)).join(' '))} ${shellWord(file.realPath)}`
        : `Keep what begins on ${keep}, remove the rest in an editor.`,
    },
  ]
}

function linesOf({ name, earlier, last, differs }: Repeated): string {
  const numbers = earlier.map(({ line }) => line).join(', ')
  return `${name} stands on the lines ${numbers} and ${last.line}${differs ? ', each with another value' : ''}`
}

/** Only where that line still is what it was: one above it may have been removed meanwhile. */
function removal({ key, raw, line }: EnvStatement): string {
  const isSafe = !isSecretSetting(key) && /^[A-Za-z0-9_-]+$/.test(raw)
  return `${line}{/${isSafe ? `${key}.*${raw}` : key}/d;};`
}

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
    return open.map(({ file: { path, realPath, mode = 0 } }) => ({
      severity: (mode & 0o002) === 0 ? ('warning' as const) : ('fault' as const),
      saw: `Every user of this machine can ${(mode & 0o002) === 0 ? 'read' : 'change'} ${path} (mode ${mode.toString(8)}).`,
      matters: "It holds the storage key, the database's password and the secrets of all sessions.",
      next: prose`If the file belongs to Mastodon's user or group (ls -l ${shellWord(path)}):\n  ${asRoot(`chmod o= ${shellWord(path)}`)}`,
      mend: { is: 'mode' as const, file: realPath },
    }))
  },
})

interface Row {
  readonly id: string
  readonly name: string
  readonly severity: Extract<Severity, 'fault' | 'warning'>
  readonly matters: string
  /** Media may have to move first. */
  readonly byHand?: true
}

const rows: readonly Row[] = [
  {
    id: 's3-multipart-threshold',
    name: 'S3_MULTIPART_THRESHOLD',
    severity: 'fault',
    matters:
      'It counts bytes, and below 5242880 (5 MiB) uploads in parts are refused ("unable to multipart upload files smaller than 5MB"). Without the line Mastodon takes 15728640.',
  },
  {
    id: 's3-read-timeout',
    name: 'S3_READ_TIMEOUT',
    severity: 'fault',
    matters:
      'It counts seconds, and what is no number, or nothing, counts as 0: no answer is waited for, and each upload fails. Without the line Mastodon takes 5.',
  },
  {
    id: 's3-batch-delete-limit',
    name: 'S3_BATCH_DELETE_LIMIT',
    severity: 'fault',
    matters:
      'It counts files, and what is no number, or nothing, counts as 0: what Mastodon cleans up in batches fails. Without the line it takes 1000.',
  },
  {
    id: 's3-key-prefix',
    name: 'S3_KEY_PREFIX',
    severity: 'warning',
    matters:
      'tootctl media remove-orphans and lookup expect media at the top of the bucket, and take it for unknown otherwise. If media is stored under the prefix already, it has to move first.',
    byHand: true,
  },
  {
    id: 's3-signature-version',
    name: 'S3_SIGNATURE_VERSION',
    severity: 'fault',
    matters: 'R2 takes version 4 only, which Mastodon uses without the line.',
  },
  {
    id: 's3-storage-class',
    name: 'S3_STORAGE_CLASS',
    severity: 'warning',
    matters:
      "R2 refuses other providers' storage classes, and its cheaper one costs more for media, which is read often.",
  },
  {
    id: 's3-path-style',
    name: 'S3_OVERRIDE_PATH_STYLE',
    severity: 'warning',
    matters: 'The bucket becomes a part of the host name; R2 is used and tested without that.',
  },
]

/** What `init` comments out, told by the doctor: both ask the same function. */
export const hindranceChecks: readonly SettingsCheck[] = rows.map(
  ({ id, name, severity, matters, byHand }) =>
    settingCheck({
      id,
      title: name,
      judge({ value, remove }, { installation }) {
        const now = value(name)
        if (!hindrances(installation.settings).has(name)) {
          return { severity: 'ok', saw: now ? shown(now) : 'not set' }
        }
        const saw = now === '' ? `${name} is set to nothing.` : `${name} is "${shown(now ?? '')}".`
        const cure = remove(name)
        return { severity, saw, matters, ...(byHand ? { next: cure.next } : cure) }
      },
    }),
)

/** Another env file, the unit or the compose file wins over the file that people look at. */
export const shadowed = settingCheck({
  id: 'env-shadowed',
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
      // No mend: which of the two values is meant, is not known.
      next: remove(key).next,
    }))
  },
})

interface Odd {
  readonly file: EnvFileOnDisk
  readonly place: string
  readonly statement: EnvStatement
  /** Mastodon gets something else than the line says to its own reader. */
  readonly isMisread: boolean
}

/**
 * Quotes, `export`, comments behind a value: Ruby's dotenv drops them, systemd and plain Docker keep
 * them or skip the line. A fault where that has happened here.
 */
export const plainLines = settingCheck({
  id: 'env-plain-lines',
  title: 'How the lines are written',
  always: true,
  judge(_, at) {
    const odd = readFiles(at).flatMap((read) => oddLines(read, at))
    const misread = odd.filter(({ isMisread }) => isMisread)
    const harmless = odd.filter(({ isMisread }) => !isMisread)
    const found = [
      ...byFile(misread, (those) => keptBy(those, at)),
      ...byFile(harmless, (those) => droppedHere(those, at)),
      ...readFiles(at).flatMap((read) => swallowed(read, at)),
    ]
    return found.length === 0
      ? { severity: 'ok', saw: 'plain KEY=value, read alike by all' }
      : found
  },
})

function oddLines(read: ReadFile, { installation }: SettingsWorld): Odd[] {
  return lastOfEach(read.statements).flatMap((statement) => {
    const { key, plain, expands, runs } = statement
    if (plain || expands || runs || !isStorageSetting(key)) return []
    const effective = installation.settings.get(key)
    const isFromHere = effective === undefined || read.paths.includes(effective.from)
    const isMisread = isFromHere && effective?.value !== statement.value
    return [{ file: read.file, place: position(read, statement), statement, isMisread }]
  })
}

/** Lines that systemd took for the end of a comment until version 253 (its src/basic/env-file.c). */
function swallowed(read: ReadFile, { installation: { kind, services = [] } }: SettingsWorld) {
  const { file, paths, statements } = read
  const known = [file.realPath, ...paths]
  const isOfUnits = services.some(({ envFiles }) => envFiles.some((path) => known.includes(path)))
  if (kind !== 'systemd' || !isOfUnits) return []
  const rows = file.text.split('\n')
  return statements
    .filter(({ line }) => /^[ \t]*[#;].*\\\r?$/.test(rows[line - 2] ?? ''))
    .map(
      (statement): Verdict => ({
        severity: 'warning',
        saw: `${position(read, statement)} stands below a comment that ends with a backslash.`,
        matters:
          'systemd before version 254 takes such a line for a part of the comment, and does not hand the setting on.',
        next: `Take the backslash away from the end of line ${statement.line - 1} of ${file.path}.`,
      }),
    )
}

function keptBy(odd: readonly Odd[], { installation }: SettingsWorld): Verdict {
  const reader = installation.kind === 'docker' ? 'Docker' : 'systemd'
  return {
    severity: 'fault',
    saw: `${listed(odd)}: Mastodon does not get the bare value.`,
    matters: `${reader} reads this file, and takes what stands around a value for a part of it, or skips the line.`,
    next: prose`Write just this (${toType('init')} does it, too):${rewritten(odd)}`,
    ...bareOf(odd),
  }
}

function droppedHere(odd: readonly Odd[], { installation }: SettingsWorld): Verdict {
  return {
    severity: installation.kind === 'none' ? 'warning' : 'note',
    saw: `${listed(odd)}.`,
    matters:
      "Mastodon's own reader drops that; systemd (EnvironmentFile) and docker run --env-file would take it for a part of the value, or skip the line.",
    next: `To be safe everywhere, write just this:${rewritten(odd)}`,
    ...bareOf(odd),
  }
}

function listed(odd: readonly Odd[]): string {
  return odd.map(({ place, statement }) => `${place} has ${oddity(statement)}`).join(', ')
}

function oddity({ exported, quoting, comment }: EnvStatement): string {
  if (comment !== undefined) return 'a comment behind the value'
  if (exported) return 'export before it'
  return quoting === 'none' ? 'blanks, a colon or a backslash in it' : 'quotes'
}

function rewritten(odd: readonly Odd[]): string {
  return odd
    .map(({ statement: { key, value } }) => {
      if (isSecretSetting(key)) return `\n  ${key}=(the value alone)`
      return isReadAlike(value) ? `\n  ${key}=${value}` : `\n  ${key}=(without blanks and quotes)`
    })
    .join('')
}

/** Without a character that one of the readers takes in its own way. */
function isReadAlike(value: string): boolean {
  return /^[A-Za-z0-9._:/,@%+=-]*$/.test(value)
}

/** One verdict for each file, as it is mended by itself. */
function byFile(odd: readonly Odd[], verdict: (those: readonly Odd[]) => Verdict): Verdict[] {
  const files = new Map(odd.map(({ file }) => [file.realPath, file]))
  return [...files.keys()].map((path) => verdict(odd.filter(({ file }) => file.realPath === path)))
}

function bareOf(odd: readonly Odd[]): { readonly mend?: Mend } {
  const [first] = odd
  const statements = odd.map(({ statement }) => statement)
  return first === undefined ? {} : bare(first.file, statements)
}

/** Only where each of the values can be written so that every reader takes it alike. */
function bare(
  { path }: EnvFileOnDisk,
  statements: readonly Pick<EnvStatement, 'key' | 'value' | 'expands' | 'runs'>[],
): { readonly mend?: Mend } {
  const isKnown = statements.every((one) => isReadAlike(one.value) && !one.expands && !one.runs)
  if (!isKnown) return {}
  return { mend: { is: 'bare', file: path, names: statements.map(({ key }) => key) } }
}

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
      next: prose`${toType('init')} puts the settings back; bucket and media stay as they are.`,
    }
  },
})
