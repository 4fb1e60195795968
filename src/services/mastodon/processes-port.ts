/** Which processes of Mastodon run, and since when; read from /proc or asked of Docker. */
export interface ProcessesPort {
  /** Undefined where they can't be seen from here (containers elsewhere, no /proc). */
  running(): Promise<readonly RunningProcess[] | undefined>
  /** When the file last changed, by its modification time; undefined when it is not there. */
  changedAt(path: string): Promise<Date | undefined>
}

export interface RunningProcess {
  readonly role: 'web' | 'sidekiq' | 'streaming'
  /** systemd unit or container name, e.g. `mastodon-sidekiq.service`; else `pid 123`. */
  readonly name: string
  /**
   * When what serves requests began: of several workers the oldest one; a container's creation. Puma
   * itself may be older, as it re-executes itself on reload.
   */
  readonly startedAt: Date
  /** The Puma above the workers, where there are workers. */
  readonly below?: {
    readonly startedAt: Date
    readonly workers: number
    /** Between the first worker's start and the last one's, milliseconds. */
    readonly spreadMs: number
  }
}
