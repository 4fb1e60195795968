import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { readSystemdUnit, type SystemdUnit } from './systemd-unit.ts'

/** A Mastodon service as systemd would run it. */
export interface MastodonUnit extends SystemdUnit {
  /** e.g. `mastodon-sidekiq@default.service`. */
  readonly name: string
  readonly part: 'web' | 'sidekiq'
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
const NAME = /^mastodon(?:__\d+)?-(web|sidekiq)[^/]*\.service$/

/** Mastodon's web and sidekiq units on this machine, from their files; templates by instance. */
export async function findUnits(root: string): Promise<MastodonUnit[]> {
  const folders = FOLDERS.map((folder) => join(root, folder))
  const names = new Set<string>()
  for (const folder of folders) {
    for (const entry of await list(folder)) {
      if (NAME.test(entry)) names.add(entry)
      if (!/\.(wants|requires|upholds)$/.test(entry)) continue
      for (const wanted of await list(join(folder, entry))) {
        if (NAME.test(wanted)) names.add(wanted)
      }
    }
  }
  const units = await Promise.all([...names].sort().map((name) => loadUnit(folders, name)))
  return units.filter((unit) => unit !== undefined)
}

async function loadUnit(folders: string[], name: string): Promise<MastodonUnit | undefined> {
  const part = NAME.exec(name)?.[1] === 'web' ? 'web' : 'sidekiq'
  const [, prefix, instance] = /^([^@]*)@(.*)\.service$/.exec(name) ?? []
  if (instance === '') return undefined
  const template = prefix === undefined ? [] : [`${prefix}@.service`]
  const fragment = await first(folders, [name, ...template])
  // Linked to /dev/null, or empty: masked, it never runs.
  if (fragment === undefined || fragment === '') return undefined
  const texts = [fragment, ...(await dropIns(folders, [name, ...template]))]
  const unit = readSystemdUnit(texts, instance)
  return /\bdocker\b|\bpodman\b/.test(unit.execStart) ? undefined : { name, part, ...unit }
}

async function first(folders: string[], names: string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      if ((await realpath(path).catch(() => '')) === '/dev/null') return ''
      const text = await readFile(path, 'utf8').catch(() => undefined)
      if (text !== undefined) return text
    }
  }
  return undefined
}

/** By file name, whichever folder they are in; a more special folder hides the same file name. */
async function dropIns(folders: string[], names: string[]): Promise<string[]> {
  const special = names.flatMap((name) => [name, ...dashPrefixes(name)])
  const found = new Map<string, string>()
  for (const name of [...special, 'service']) {
    for (const folder of folders) {
      for (const file of await list(join(folder, `${name}.d`))) {
        const path = join(folder, `${name}.d`, file)
        if (file.endsWith('.conf') && !found.has(file)) found.set(file, path)
      }
    }
  }
  const paths = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  return Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')))
}

/** `mastodon-web.service` also takes drop-ins of `mastodon-.service`. */
function dashPrefixes(name: string): string[] {
  const stem = name.replace(/(@.*)?\.service$/, '')
  const parts = stem.split('-').slice(0, -1)
  return parts.map((_, index) => `${parts.slice(0, parts.length - index).join('-')}-.service`)
}

function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
