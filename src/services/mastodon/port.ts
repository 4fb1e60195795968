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
