/** Where media is copied from: Mastodon's folder, or the bucket of another provider. */
export interface MediaSource {
  readonly kind: 'local' | 's3'
  /** As the person would name it: a folder, or `bucket at host`. */
  readonly name: string
  /**
   * Every file in the byte order of the keys (see key-order.ts), in batches, without keeping them:
   * a million files need no more memory than a thousand. Problems: `media-missing`,
   * `media-unreadable` for the root; what is wrong further down is told to `onOddity`.
   */
  files(options?: ReadOptions): AsyncIterable<readonly MediaFile[]>
  /** One file as it is at this moment, readable or not; undefined when it is gone. */
  find(key: string): Promise<MediaFile | undefined>
  /**
   * Why the content of a file that is there is not given out, a few words; undefined when it is. For
   * sources that list what they don't give out.
   */
  whyUnreadable?(key: string): Promise<string | undefined>
  /** The whole content of one file, for the few that rclone can't be told of. */
  read(key: string): Promise<Uint8Array>
  /** The content of one file in pieces; where there is none, contents are known by their ETags. */
  content?(key: string): AsyncIterable<Uint8Array>
}

export interface ReadOptions {
  readonly onOddity?: (oddity: Oddity) => void
  /** Ends the reading with Cancelled. */
  readonly signal?: AbortSignal
  /** Keys that begin so need not be read; a source may give them all the same. */
  readonly skip?: readonly string[]
  /** Only some are needed: whoever reads stops soon. */
  readonly few?: boolean
  /**
   * The order is all the same, and what is likely to be new should come first: the keys backwards, as
   * Mastodon's ids ascend. A source that can only be read forwards is.
   */
  readonly newestFirst?: boolean
}

export interface MediaFile {
  /** Object key: the path below the root, `/` between parts. */
  readonly key: string
  /** Bytes. */
  readonly size: number
  /**
   * Milliseconds since the epoch: when the file came to be here. Of a file its ctime (mtime lies
   * after rsync or mv), of an object its LastModified.
   */
  readonly changedAt: number
  /**
   * Milliseconds since the epoch: the mtime of a file. It stays as it was under chown, chmod and mv, and
   * after rsync it is that of another machine: a hint that a content is old, no proof.
   */
  readonly writtenAt?: number
  /** Permission bits, e.g. 0o644; undefined where the source has none. */
  readonly mode: number | undefined
  /** Of an object, as in ListedObject; files have none. */
  readonly etag?: string
}

/** Something that is not copied as it stands; the walk goes on. */
export interface Oddity {
  /** Below the root; that of a folder ends with `/`. */
  readonly path: string
  readonly kind:
    | 'loop'
    | 'dangling-link'
    | 'outside-link'
    /** Outside of the media folder, and another user's. */
    | 'foreign'
    | 'unreadable'
    | 'not-a-file'
    | 'name-not-utf8'
    | 'hidden'
    | 'vanished'
  /** One sentence for the person. */
  readonly note: string
}

/** Takes many files into Mastodon's folder, with the rights of its owner and following no link. */
export interface LandingPort {
  /** For words. */
  readonly folder: string
  /** Where they are to be fetched to, each by its key: a folder that only the owner may enter. */
  readonly stage: string
  /** Makes that folder, empty; throws the system's errors. */
  open(): Promise<void>
  /** Removes it, with what was not placed. */
  close(): Promise<void>
  /** Bytes that the owner may still write. */
  free(): Promise<number>
  /**
   * Puts fetched files under their names, never over what is there unless it is told to. Gives those
   * that it could not.
   */
  place(files: readonly LandingFile[]): Promise<readonly { key: string; reason: string }[]>
  /** Takes from everybody but the owner the right to read these; what is not there is passed over. */
  hide(keys: readonly string[]): Promise<HiddenFiles>
}

export interface HiddenFiles {
  /** Could be read by others until now. */
  readonly hidden: number
  readonly failed: readonly { key: string; reason: string }[]
}

export interface LandingFile {
  readonly key: string
  /** For nobody but the owner: media of a suspended user. */
  readonly isClosed: boolean
  /** Takes the place of the file that is there, unless that has changed since (`MediaFile.changedAt`). */
  readonly replaces?: number | undefined
}

/** Puts media into Mastodon's folder that came to be elsewhere. */
export interface BringBackPort {
  /** For words. */
  readonly folder: string
  /**
   * Adds a file with owner, group and mode of the files around it. false when there is one already,
   * which stays. Problems: `media-not-brought-back`, also for a key that leads out of the folder.
   */
  add(key: string, body: Uint8Array): Promise<boolean>
}
