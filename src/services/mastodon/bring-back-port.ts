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
