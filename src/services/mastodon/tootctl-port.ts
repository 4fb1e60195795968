import type { PlacedCommand } from '../process/command.ts'

/** Mastodon's own administration tool, run as the user and in the place where it works. */
export interface TootctlPort {
  /**
   * `tootctl <args>` ready to run: bare metal as Mastodon's user with RAILS_ENV and its Ruby, Docker
   * through `docker compose run --rm`. Undefined where no Mastodon was found on this machine.
   */
  command(args: readonly string[]): PlacedCommand | undefined
}
