import { lstatSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ageInDays, ORPHAN } from './media-tree.ts'
import type { Program, ProgramCall } from './programs.ts'
import { envValues, mediaFolder } from './uploads.ts'

/** A media file as Mastodon's database would know it. */
export interface StoredFile {
  readonly key: string
  readonly name: string
  /** Class, kind and id: its row. */
  readonly record: string
  /** Days since the row was made. */
  readonly age: number
  readonly size: number
}

/** Every file of a media folder that has a row; links are followed, and lead to no loops here. */
function storedFiles(
  folder: string,
  ageOf: (partition: string, now: number) => number,
): StoredFile[] {
  const now = Date.now()
  const found: StoredFile[] = []
  const walk = (prefix: string) => {
    for (const name of readdirSync(join(folder, prefix)).sort()) {
      const key = `${prefix}${name}`
      const stat = kindOf(join(folder, key))
      if (stat?.isDirectory()) walk(`${key}/`)
      const [, record, partition] =
        /^((?:cache\/)?[a-z_]+\/[a-z_]+\/(\d{3}(?:\/\d{3})+))\/[^/]+\/[^/]+$/.exec(key) ?? []
      if (!stat?.isFile() || record === undefined || partition === undefined) continue
      found.push({ key, name, record, age: ageOf(partition, now), size: stat.size })
    }
  }
  if (kindOf(folder)?.isDirectory()) walk('')
  return found
}

function kindOf(path: string) {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : stat
}

/** What a command takes away: which files, and how it says so. */
interface Sweep {
  takes(file: StoredFile, days: number, args: readonly string[]): boolean
  told(count: number, size: string, days: number): string
  /** Days when --days is not given. */
  readonly days: number
}

const attachments = /^cache\/media_attachments\//
const sweeps: Readonly<Record<string, Sweep>> = {
  'media remove': {
    takes: ({ key, age }, days) => attachments.test(key) && age >= days,
    told: (count, size) => `Removed ${count} media attachments (approx. ${size})`,
    days: 7,
  },
  'media remove --prune-profiles': {
    takes: ({ key, age, record }, days, args) =>
      key.startsWith('cache/accounts/') &&
      age >= days &&
      (args.includes('--include-follows') || !isFollowed(record)),
    told: (count, size) => `Visited ${count} accounts and removed profile media totaling ${size}`,
    days: 7,
  },
  'media remove-orphans': {
    takes: ({ name }) => name.startsWith(ORPHAN),
    told: (count, size) => `Removed ${count} orphans (approx. ${size})`,
    days: 0,
  },
  'preview_cards remove': {
    takes: ({ key, age }, days) => key.startsWith('cache/preview_cards/') && age >= days,
    told: (count, size) => `Removed media from ${count} preview cards (approx. ${size})`,
    days: 180,
  },
  'emoji purge': {
    takes: ({ key }) => key.startsWith('cache/custom_emojis/'),
    told: () => 'OK',
    days: 0,
  },
}

/**
 * tootctl for the media of a rehearsal: what Mastodon 4 offers for the storage, with the effects it has
 * on the disk (lib/mastodon/cli). Once media is in a bucket it finds nothing to do.
 */
export function tootctl(live: string): Program {
  const run = runOf(live)
  return async (call) => {
    const code = await run(call)
    // Buffered: it comes when the reason of a failure has long been told.
    const at = new Date().toISOString().replace('Z', '000')
    call.out(`I, [${at} #1]  INFO -- : [dotenv] Loaded \u001b[33m.env.production\u001b[0m`)
    return code
  }
}

function runOf(live: string): Program {
  return async (call) => {
    const words = call.args.filter((word) => !word.startsWith('-') && !/^\d+$/.test(word))
    const name = words.slice(0, 2).join(' ')
    const settings = envValues(live)
    const folder = mediaFolder(live, settings)
    const files = settings.get('S3_ENABLED') === 'true' ? [] : storedFiles(folder, ageInDays)
    if (name === 'media usage') return usage(files, call)
    if (name === 'accounts refresh') return refresh(files, call)
    const profiles = name === 'media remove' && call.args.includes('--prune-profiles')
    const sweep = sweeps[profiles ? `${name} --prune-profiles` : name]
    if (!sweep || words.length > 2) {
      call.err(`Could not find command "${words[1] ?? words[0] ?? ''}".`)
      return 1
    }
    if (name === 'emoji purge') {
      const unknown = call.args.find((word) => word.startsWith('-') && word !== '--remote-only')
      if (unknown !== undefined) call.err(`Unknown switches "${unknown}"`)
      else if (!call.args.includes('--remote-only')) call.err('The sandbox knows --remote-only.')
      if (unknown !== undefined || call.args.length < 3) return 1
    }
    return carryOut(sweep, files, { folder, call, logs: name === 'media remove-orphans' })
  }
}

function carryOut(
  sweep: Sweep,
  files: readonly StoredFile[],
  { folder, call, logs }: { folder: string; call: ProgramCall; logs: boolean },
): number {
  const { args, out, signal } = call
  const days = Number(option(args, '--days') ?? sweep.days)
  const dryRun = args.includes('--dry-run')
  const taken = files.filter((file) => sweep.takes(file, days, args))
  let bytes = 0
  for (const { key, size } of taken) {
    if (signal.aborted) return 130
    bytes += size
    if (logs) out(`Found and removed orphan: ${key}`)
    if (!dryRun) rmSync(join(folder, key), { force: true })
  }
  out(`Progress: |${'='.repeat(60)}|`)
  const records = new Set(taken.map(({ record }) => record)).size
  const count = logs ? taken.length : records
  out(`${sweep.told(count, humanSize(bytes), days)}${dryRun ? ' (DRY RUN)' : ''}`)
  return 0
}

/** A table, as Thor prints it. */
function usage(files: readonly StoredFile[], { out }: ProgramCall): number {
  const kinds = [
    ['Attachments', 'media_attachments/'],
    ['Custom Emoji', 'custom_emojis/'],
    ['Avatars', 'accounts/avatars/'],
    ['Headers', 'accounts/headers/'],
    ['Preview Cards', 'preview_cards/'],
    ['Backups', 'backups/'],
    ['Settings', 'site_uploads/'],
  ] as const
  const sum = (...prefixes: string[]) =>
    files
      .filter(({ key }) => prefixes.some((prefix) => key.startsWith(prefix)))
      .reduce((total, { size }) => total + size, 0)
  const rows = kinds.map(([title, folder]) => {
    const hasRemote = /^(media|custom|accounts)/.test(folder)
    const total = humanSize(sum(folder, `cache/${folder}`))
    return [title, total, hasRemote ? humanSize(sum(folder)) : '']
  })
  const table = [['Object', 'Total', 'Local'], ...rows]
  const width = (column: number) => Math.max(...table.map((row) => (row[column] ?? '').length))
  const widths = [width(0), width(1)]
  for (const row of table) {
    out(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
  return 0
}

function refresh(files: readonly StoredFile[], { args, out, err }: ProgramCall): number {
  if (!args.includes('--all')) {
    err('No account(s) given')
    return 1
  }
  const accounts = files.filter(({ key }) => key.startsWith('cache/accounts/avatars/'))
  const count = new Set(accounts.map(({ record }) => record)).size
  out(`Refreshed ${count} accounts${args.includes('--dry-run') ? ' (DRY RUN)' : ''}`)
  return 0
}

/** Every fourth account has somebody here who follows it. */
function isFollowed(record: string): boolean {
  return Number(record.slice(-1)) % 4 === 0
}

/** `--days 7` or `--days=7`. */
function option(args: readonly string[], name: string): string | undefined {
  const joined = args.find((word) => word.startsWith(`${name}=`))
  if (joined !== undefined) return joined.slice(name.length + 1)
  const at = args.indexOf(name)
  return at < 0 ? undefined : args[at + 1]
}

/** Three digits that count, as Rails' number_to_human_size gives. */
function humanSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} Bytes`
  const units = ['KB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log(bytes) / Math.log(1024)))
  const rounded = Number((bytes / 1024 ** power).toPrecision(3))
  return `${rounded} ${units[power - 1]}`
}
