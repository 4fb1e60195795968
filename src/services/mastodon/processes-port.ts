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
  /** Start of the youngest worker that serves requests (Puma re-executes itself on reload). */
  readonly startedAt: Date
}
