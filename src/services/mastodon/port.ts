import { codeOf, diskTrouble, Problem } from '../../core/problem.ts'
import { lackOfRights } from '../../core/rights.ts'
import type { PlacedCommand } from '../process/port.ts'

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
  /** Files of these units and their drop-ins, links followed. */
  readonly unitFiles?: readonly string[]
  /** Folders of other Mastodons that units of this machine run. */
  readonly neighbours?: readonly string[]
  /**
   * systemd only: Puma was seen with workers below it, so that a reload makes new ones whose start
   * time tells. Without workers it keeps PID and start time over a reload (seen with Puma 8.0.2).
   * False as well where systemd hands it the settings, which no reload renews.
   */
  readonly pumaWorkers?: boolean
  /** Each service that runs Mastodon's web part or Sidekiq: of the compose file, or systemd's units. */
  readonly services?: readonly ServiceReading[]
  /** What makes the settings anew from elsewhere. */
  readonly declared?: Declared | undefined
  /** Docker only: how its compose files could be read. */
  readonly compose?: ComposeReading
  /** Docker only: variables of the shell that the compose file asks for, by name. */
  readonly composeNames?: readonly string[]
}

/** What one service reads. */
export interface ServiceReading {
  /** As the compose file or systemd names it. */
  readonly name: string
  readonly role: 'web' | 'sidekiq'
  /** The env files that it is given and that exist, the winning one first. */
  readonly envFiles: readonly string[]
  readonly settings: ReadonlyMap<string, EffectiveSetting>
  /** systemd hands Mastodon's settings to it, so that it keeps those of its start over a reload. */
  readonly isHanded?: true
}

export interface Declared {
  readonly by: 'nixos' | 'kubernetes' | 'quadlet'
  /** The file that shows it. */
  readonly place: string
}

export interface ComposeReading {
  /** Every file that says something, the main one first. */
  readonly files: readonly string[]
  /** The files that give `${NAME}` its values; they need not exist. */
  readonly variableFiles: readonly string[]
  /** Why compose refuses the project, so that no container could be made anew. */
  readonly refused: readonly string[]
  /** What only compose itself could read, in words; empty where it was asked. */
  readonly unread: readonly string[]
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
  /** Other names of the same file (hard links); none unless told. */
  readonly otherNames?: number
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
  /** false when the folder could not be read, or is not where a setting says: files unknown. */
  readonly readable: boolean
  /** Where media may lie that can't be looked at; `readable` is false then. */
  readonly hidden?: HiddenMedia
  /** The settings are those of a server that runs, and nothing else of it is here. */
  readonly unseen?: true
}

/** Media inside of containers, or in a volume of Docker's own store. */
export interface HiddenMedia {
  /** As the container sees it. */
  readonly path: string
  /** The service whose container it is. */
  readonly service: string
  /** Undefined where no volume is mounted there: it goes with the container. */
  readonly volume: string | undefined
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
  /** systemd hands it its settings when it starts: a reload is none, and `startedAt` is Puma's own. */
  readonly isHanded?: true
}

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

/** Mastodon's own administration tool, run as the user and in the place where it works. */
export interface TootctlPort {
  /**
   * `tootctl <args>` ready to run: bare metal as Mastodon's user with RAILS_ENV and its Ruby, Docker
   * through `docker compose run --rm`. Undefined where no Mastodon was found on this machine.
   */
  command(args: readonly string[]): PlacedCommand | undefined
}

/** Why a file stays as it is, in one sentence; by the system's name of the error. */
const unwritable: Readonly<Record<string, string>> = {
  EPERM: 'This user may not keep the owner and group of the file.',
  EBUSY: 'It is mounted into a container as a single file, so it can only be changed from outside.',
}

/** What keeps an env file from being replaced, whoever tries, and what to do about it. */
export interface EnvHindrance {
  readonly why: string
  readonly next: string
}

/**
 * Problem `env-file-not-writable`, of a look (`needed`: what it has to be written for; `hindrance`:
 * what rights would not help with) or of a write that failed (`cause`). The file is as it was.
 * `instead`: what else can be done, begins with "or". `user`: who this runs as, unless told the user of
 * this process.
 */
export function envFileNotWritable(
  path: string,
  {
    needed,
    cause,
    instead,
    hindrance,
    user,
  }: {
    needed?: string
    cause?: unknown
    instead?: string
    hindrance?: EnvHindrance
    user?: number
  },
): Problem {
  const code = codeOf(cause)
  const reason = unwritable[code] ?? diskTrouble(code)
  const ofRights = cause === undefined || code === 'EACCES' || code === 'EPERM'
  return new Problem(
    {
      code: 'env-file-not-writable',
      what:
        cause === undefined && !hindrance
          ? `${path} can't be written by you.`
          : `${path} can't be ${hindrance ? 'replaced' : 'written'}.`,
      why: [
        ...(hindrance ? [hindrance.why] : []),
        ...(cause === undefined ? [] : [reason]),
        ...(needed ? [needed] : []),
        hindrance ? 'Nothing was changed.' : 'The file is as it was.',
      ].join(' '),
      next: hindrance
        ? `${hindrance.next}\nThen run this again.`
        : ofRights
          ? lackOfRights(path, instead, user)
          : 'Put that right and run this again.',
      exit: 2,
    },
    { cause },
  )
}

/**
 * Mastodon's version from the text of lib/mastodon/version.rb (methods major, minor, patch, and
 * default_prerelease or, up to 4.1, flags and suffix). `settings` may hold the two variables that
 * the file itself reads; a fork's literal metadata such as `glitch` is taken from the file.
 */
export function versionFromSource(
  source: string,
  settings: (name: string) => string | undefined = () => undefined,
): string | undefined {
  const numbers = ['major', 'minor', 'patch'].map((name) => body(source, name, '(\\d+)'))
  if (numbers[0] === undefined || numbers[1] === undefined) return undefined
  const core = numbers.filter((number) => number !== undefined).join('.')
  const word = `['"]([^'"]*)['"]`
  const flags = (body(source, 'flags', word) ?? '') + (body(source, 'suffix', word) ?? '')
  const prerelease =
    settings('MASTODON_VERSION_PRERELEASE') || body(source, 'default_prerelease', word)
  const fork = body(source, 'build_metadata', `\\[\\s*${word}`)
  const metadata = [fork, settings('MASTODON_VERSION_METADATA')].filter(Boolean).join('.')
  return `${core}${flags}${prerelease ? `-${prerelease}` : ''}${metadata ? `+${metadata}` : ''}`
}

/** The version that an image's tag tells, e.g. `ghcr.io/mastodon/mastodon:v4.6.5`; not `latest`. */
export function versionFromImage(image: string): string | undefined {
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1]
  return /^v?(\d+\.\d+(?:\.\d+)?(?:[-+.][\w.+-]+)?)$/.exec(tag ?? '')?.[1]
}

/** What a method without arguments returns, when it is a literal. */
function body(source: string, method: string, literal: string): string | undefined {
  const form = new RegExp(`def\\s+(?:self\\.)?${method}(?:\\(\\))?(?:\\s*=)?\\s+${literal}`)
  return form.exec(source)?.[1]
}

/** Whether a version such as `4.5.0-rc.1+glitch` is at least `wanted`; a test version is before its release. */
export function isAtLeast(version: string, wanted: string): boolean {
  const [own, other] = [parts(version), parts(wanted)]
  for (const [index, number] of own.entries()) {
    const difference = number - (other[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/** Major, minor, patch, and 1 for a release or 0 for a test version before it. */
function parts(version: string): number[] {
  const [, major, minor, patch, rest = ''] =
    /^v?(\d+)\.(\d+)(?:\.(\d+))?([^+]*)/.exec(version) ?? []
  return [major, minor, patch].map((part) => Number(part ?? 0)).concat(rest === '' ? 1 : 0)
}
