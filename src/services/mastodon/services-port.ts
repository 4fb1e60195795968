import type { PlacedCommand } from '../process/command.ts'

export type { PlacedCommand }

/** Mastodon's web part and Sidekiq as services of this machine. */
export interface ServicesPort {
  /** Undefined where it is not known how Mastodon is started. */
  readonly commands: ServiceCommands | undefined
  /** Each Sidekiq process; undefined where they can't be seen from here. */
  sidekiq(): Promise<readonly SidekiqProcess[] | undefined>
}

/** Each of them in the order in which they are run. */
export interface ServiceCommands {
  /** Sidekiq finishes what it is at and takes nothing new; only a restart ends that. */
  readonly quiet: readonly PlacedCommand[]
  /** Sidekiq alone, with the settings that it has. */
  readonly wake: readonly PlacedCommand[]
  readonly stop: readonly PlacedCommand[]
  readonly start: readonly PlacedCommand[]
  /** Both with the env file as it is then, web without a gap where it can. */
  readonly restart: readonly PlacedCommand[]
  /** Web alone with the env file as it is then. */
  readonly reloadWeb: readonly PlacedCommand[]
}

export interface SidekiqProcess {
  /** Jobs that it is at. */
  readonly busy: number
  /** It takes no new ones. */
  readonly quiet: boolean
}
