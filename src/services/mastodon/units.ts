import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { readSystemdUnit, type SystemdUnit } from './systemd.ts'

/** A Mastodon service as systemd would run it. */
export interface MastodonUnit extends SystemdUnit {
  /** e.g. `mastodon-sidekiq@default.service`. */
  readonly name: string
  readonly part: 'web' | 'sidekiq'
  /** The unit's own file and its drop-ins, links followed; without those of every service. */
  readonly files: readonly string[]
}

/** Where systemd looks, the winning folder first (systemd.unit(5)). */
const FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

// YunoHost names the second installation mastodon__2.
/** Systemd's own, half of all that there are. */
const OF_SYSTEMD = /^systemd-/

const NAME = /^mastodon(?:__\d+)?-(web|sidekiq)[^/]*\.service$/

/** Some hosts of containers write one anew whenever systemd reloads its units. */
const OF_EVERY = /\/service\.d\/[^/]+$/

const STARTS = { sidekiq: /\bsidekiq\b/, web: /\bpuma\b|\brails\s+s(erver)?\b/ }

/**
 * Mastodon's web and sidekiq units on this machine, from their files; templates by instance. A unit
 * of another name is one when it starts Puma or Sidekiq in a folder that holds Mastodon's source.
 */
export async function findUnits(root: string): Promise<MastodonUnit[]> {
  const folders = foldersBelow(root).map((path) => ({ path, entries: new Set(list(path)) }))
  const names = new Set<string>()
  for (const { path, entries } of folders) {
    for (const entry of entries) {
      if (entry.endsWith('.service')) names.add(entry)
      // An instance that is started by hand is known by its drop-ins alone.
      const [, instance] = /^([^@]+@[^@]+\.service)\.d$/.exec(entry) ?? []
      if (instance !== undefined) names.add(instance)
      if (!/\.(wants|requires|upholds)$/.test(entry)) continue
      for (const wanted of list(join(path, entry))) {
        if (wanted.endsWith('.service')) names.add(wanted)
      }
    }
  }
  const units = await Promise.all(
    [...names]
      .filter((name) => !OF_SYSTEMD.test(name))
      .sort()
      .map((name) => loadUnit(root, folders, name)),
  )
  return units.filter((unit) => unit !== undefined)
}

interface UnitFolder {
  readonly path: string
  readonly entries: ReadonlySet<string>
}

async function loadUnit(
  root: string,
  folders: readonly UnitFolder[],
  name: string,
): Promise<MastodonUnit | undefined> {
  const [, prefix, instance] = /^([^@]*)@(.*)\.service$/.exec(name) ?? []
  if (instance === '') return undefined
  const template = prefix === undefined ? [] : [`${prefix}@.service`]
  const fragment = first(folders, [name, ...template])
  // Linked to /dev/null, or empty: masked, it never runs.
  if (fragment === undefined || fragment.text === '') return undefined
  const named = NAME.exec(name)?.[1]
  if (named === undefined && !/puma|sidekiq|rails/.test(fragment.text)) return undefined
  const more = await dropIns(folders, name)
  const texts = [fragment.text, ...more.map(({ text }) => text)]
  const unit = readSystemdUnit(texts, name)
  if (/\bdocker\b|\bpodman\b/.test(unit.execStart)) return undefined
  const part = named === undefined ? partOf(unit.execStart) : named === 'web' ? 'web' : 'sidekiq'
  if (part === undefined) return undefined
  if (named === undefined && !(await holdsMastodon(root, unit.workingDirectory))) return undefined
  const own = [fragment, ...more.filter(({ path }) => !OF_EVERY.test(path))]
  const files = await Promise.all(own.map(({ path }) => realpath(path).catch(() => path)))
  return { name, part, files, ...unit }
}

function partOf(execStart: string): MastodonUnit['part'] | undefined {
  if (STARTS.sidekiq.test(execStart)) return 'sidekiq'
  return STARTS.web.test(execStart) ? 'web' : undefined
}

async function holdsMastodon(root: string, folder: string | undefined): Promise<boolean> {
  if (folder === undefined) return false
  const source = join(root, folder, 'lib/mastodon/version.rb')
  return (await readFile(source).catch(() => undefined)) !== undefined
}

interface Fragment {
  readonly path: string
  readonly text: string
}

/**
 * A machine has some hundred units: only what is listed is opened, and read at once, as in a queue each
 * takes ten times as long.
 */
function first(folders: readonly UnitFolder[], names: string[]): Fragment | undefined {
  for (const name of names) {
    for (const { path: folder, entries } of folders) {
      if (!entries.has(name)) continue
      const path = join(folder, name)
      try {
        return { path, text: readFileSync(path, 'utf8') }
      } catch {
        // A link to nowhere counts as none.
      }
    }
  }
  return undefined
}

/**
 * By file name, whichever folder they are in. Of two with the same name the one in the winning folder
 * counts, and only then the one that is for fewer units (unit_file_find_dirs in systemd's
 * basic/unit-file.c); `service.d` comes behind all.
 */
async function dropIns(folders: readonly UnitFolder[], name: string): Promise<Fragment[]> {
  const special = dropInNames(name)
  const places = [special, ['service']].flatMap((names) =>
    folders.flatMap(({ path }) => names.map((one) => join(path, `${one}.d`))),
  )
  const found = new Map<string, string>()
  for (const place of places) {
    for (const file of list(place)) {
      if (file.endsWith('.conf') && !found.has(file)) found.set(file, join(place, file))
    }
  }
  const paths = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  return Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(path, 'utf8').catch(() => '') })),
  )
}

/** `mastodon-web@1.service` also takes drop-ins of `mastodon-web@.service` and `mastodon-.service`. */
function dropInNames(name: string): string[] {
  const [, prefix = '', at = '', instance = ''] = /^([^@]*)(@?)(.*)\.service$/.exec(name) ?? []
  const template = at !== '' && instance !== '' ? dropInNames(`${prefix}@.service`) : []
  const dash = prefix.lastIndexOf('-', prefix.length - 2)
  const shorter = dash > 0 ? `${prefix.slice(0, dash + 1)}.service` : undefined
  return [name, ...template, ...(shorter === undefined ? [] : dropInNames(shorter))]
}

/** The files of `EnvironmentFile=`, in the order in which systemd reads them; glob(7) patterns fit many. */
export function environmentFilesBelow(
  root: string,
  { environmentFiles }: Pick<SystemdUnit, 'environmentFiles'>,
): string[] {
  return environmentFiles.flatMap((path) => matching(root, path))
}

function matching(root: string, path: string): string[] {
  let found = [root]
  for (const part of path.split('/').filter((part) => part !== '')) {
    if (!/[*?[]/.test(part)) {
      found = found.map((folder) => join(folder, part))
      continue
    }
    const fits = pattern(part)
    found = found.flatMap((folder) => {
      const names = list(folder).filter((name) => fits.test(name))
      return names.sort().map((name) => join(folder, name))
    })
  }
  return found
}

/** A part of a path of glob(7); a dot in front is matched by a dot alone. */
function pattern(part: string): RegExp {
  const source = part.replace(
    /\[[!^]?(\]?[^\]]*)\]|\*|\?|[.+^${}()|[\]\\]/g,
    (sign, inside: string | undefined) => {
      if (sign === '*') return '.*'
      if (sign === '?') return '.'
      if (inside === undefined) return `\\${sign}`
      return `[${/^\[[!^]/.test(sign) ? '^' : ''}${inside.replace(/[\\\]^]/g, '\\$&')}]`
    },
  )
  try {
    return new RegExp(`^${/^[*?[]/.test(part) ? '(?!\\.)' : ''}${source}$`, 's')
  } catch {
    // A range from Z to A.
    return /(?!)/
  }
}

/** Those that there are, each once: on most systems /lib is a link to /usr/lib. */
function foldersBelow(root: string): string[] {
  const found = FOLDERS.flatMap((folder) => {
    try {
      return [realpathSync.native(join(root, folder))]
    } catch {
      return []
    }
  })
  return [...new Set(found)]
}

/** At once, as units are read. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
