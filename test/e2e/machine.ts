import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A made-up server: its own home, temporary folder and Mastodon folder, nothing else. */
export interface Machine {
  /** Mastodon's folder; the working directory of every run. */
  readonly dir: string
  readonly home: string
  readonly tmp: string
  path(name: string): string
  read(name?: string): string
  write(name: string, text: string): void
  /** Every file of the machine with its content. */
  files(): Map<string, string>
  /** The same without the logs of our runs: what a run that took all back has left. */
  filesButLogs(): Map<string, string>
}

export const ENV = '.env.production'
export const LOCAL_DOMAIN = 'LOCAL_DOMAIN=social.example.com\n'

export function machine(below: string, files: Readonly<Record<string, string>>): Machine {
  const root = mkdtempSync(join(below, 'machine-'))
  chmodSync(root, 0o755)
  const [dir, home, tmp] = ['live', 'home', 'tmp'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ]
  for (const folder of [dir, home, tmp]) mkdirSync(folder)
  chmodSync(tmp, 0o1777)
  const path = (name: string) => join(dir, name)
  const write = (name: string, text: string) => {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), text, { mode: 0o600 })
  }
  for (const [name, text] of Object.entries(files)) write(name, text)
  return {
    dir,
    home,
    tmp,
    path,
    read: (name = ENV) => readFileSync(path(name), 'utf8'),
    write,
    files: () => filesBelow(root),
    filesButLogs: () =>
      new Map([...filesBelow(root)].filter(([path]) => !path.includes('/mastodon-r2/logs/'))),
  }
}

/** Text by path; links and sockets are left out. */
export function filesBelow(root: string): Map<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  )
}
