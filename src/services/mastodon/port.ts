/** What was found of a Mastodon installation; all of it read, nothing run. */
export interface Installation {
  readonly kind: 'systemd' | 'docker' | 'none'
  /** Mastodon's own directory, or the compose file's folder. */
  readonly dir: string | undefined
  readonly composeFile: string | undefined
  /** e.g. `4.6.5` or `4.5.0+glitch`; undefined when nothing tells. */
  readonly version: string | undefined
  /** The file that the storage block goes into; may not exist yet (`exists`). */
  readonly envFile: EnvFileOnDisk
  /** Every file that Mastodon would read and that exists, the winning one first. */
  readonly envFiles: readonly EnvFileOnDisk[]
  /** Effective settings after Mastodon's own precedence. */
  readonly settings: ReadonlyMap<string, EffectiveSetting>
  readonly localDomain: string | undefined
  readonly webDomain: string | undefined
  readonly media: LocalMedia
  /** systemd unit names such as `mastodon-web.service`, `mastodon-sidekiq@1.service`. */
  readonly units: { readonly web: readonly string[]; readonly sidekiq: readonly string[] }
  /** Docker only: each service of the compose file that runs Mastodon's web part or Sidekiq. */
  readonly services?: readonly ComposedService[]
}

export interface ComposedService {
  /** As the compose file names it. */
  readonly name: string
  readonly role: 'web' | 'sidekiq'
  /** The env files that it is given and that exist, the winning one first. */
  readonly envFiles: readonly string[]
  readonly settings: ReadonlyMap<string, EffectiveSetting>
}

export interface EnvFileOnDisk {
  /** As the person would name it. */
  readonly path: string
  /** After following symlinks. */
  readonly realPath: string
  readonly exists: boolean
  /** Empty when it doesn't exist. */
  readonly text: string
  /** Permission bits, e.g. 0o644; undefined when it doesn't exist. */
  readonly mode: number | undefined
  readonly writable: boolean
}

export interface EffectiveSetting {
  readonly value: string
  /** The file's path, or words such as `systemd unit mastodon-web.service`. */
  readonly from: string
}

export interface LocalMedia {
  /** PAPERCLIP_ROOT_PATH or public/system. */
  readonly root: string | undefined
  /** Files counted; `more` when the count stopped at its bound. */
  readonly files: number
  readonly more: boolean
  /** false when the folder could not be read: files unknown. */
  readonly readable: boolean
}

/** Looks closer at env files than their values: how a line is written, and what was kept of them. */
export interface EnvReader {
  /** Every assignment in the order of the file, commented ones too, as Mastodon's dotenv reads them. */
  statements(text: string): readonly EnvStatement[]
  /** Copies that this tool made of the file before changing it, the newest first. */
  backups(file: EnvFileOnDisk): Promise<readonly EnvBackupPath[]>
  /** When the file was last written; undefined when it is not there. */
  changedAt(file: EnvFileOnDisk): Promise<Date | undefined>
}

export interface EnvBackupPath {
  readonly path: string
  /** When it was made, to the second. */
  readonly at: Date
}

export interface EnvStatement {
  readonly key: string
  readonly value: string
  /** As written, quotes included, without the inline comment. */
  readonly raw: string
  /** Number of its first line, from 1. */
  readonly line: number
  /** false for a commented-out `# KEY=value`. */
  readonly active: boolean
  /** Written as `KEY=value` and nothing else on the line, which every reader takes alike. */
  readonly plain: boolean
  readonly quoting: 'none' | 'single' | 'double'
  readonly exported: boolean
  /** `# …` behind the value. */
  readonly comment: string | undefined
  /** Holds `$NAME`, which Ruby fills in. */
  readonly expands: boolean
  /** Holds `$(command)`, which Ruby runs. */
  readonly runs: boolean
}
