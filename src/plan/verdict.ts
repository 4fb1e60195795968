import type { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import type { Text, ToType } from '../core/to-type.ts'
import type { EnvReader, Installation, ProcessesPort } from '../services/mastodon/port.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'
import type { ConnectS3, S3Key } from '../services/s3/port.ts'
import type { Clock } from './step.ts'

/**
 * One thing that the doctor looks at. A check changes nothing but probe objects that it removes
 * again; a Problem that it throws is a fault.
 */
export interface Check<Needs extends keyof CheckWorld = keyof CheckWorld> {
  /** Stable: tests, JSON and monitoring name checks by it. */
  readonly id: string
  readonly about: CheckArea
  readonly title: string
  /** `probe` writes a test object, and is left out with --quick. */
  readonly cost: 'look' | 'probe'
  look(at: Pick<CheckWorld, Needs>): Promise<readonly Verdict[]>
}

export const checkAreas = ['settings', 'storage', 'public web', 'Mastodon', 'Cloudflare'] as const
export type CheckArea = (typeof checkAreas)[number]

/** `fault`: media is broken or will be. `warning`: it works, and should be put right. */
export type Severity = 'fault' | 'warning' | 'note' | 'ok' | 'skipped'

export type Verdict =
  | { readonly severity: 'ok' | 'skipped'; readonly saw: Text }
  | {
      readonly severity: 'fault' | 'warning' | 'note'
      /** What was seen, with the value unless it is secret. */
      readonly saw: Text
      /** Why it matters to the admin or to visitors. */
      readonly matters: Text
      /** The next thing to type. */
      readonly next: Text
      /** Undefined where a person has to choose, or something could be lost. */
      readonly mend?: Mend
    }

/** What puts a finding right without anybody's choice; `check --fix` plans it. */
export type Mend =
  /** Settings with their right values, in the files that they come from; undefined: commented out. */
  | { readonly is: 'settings'; readonly values: ReadonlyMap<string, string | Secret | undefined> }
  /** Settings of one file that keep their value, and stand there once, with nothing around it. */
  | { readonly is: 'bare'; readonly file: string; readonly names: readonly string[] }
  /** An env file, by its real path, that everybody may read or change. */
  | { readonly is: 'mode'; readonly file: string }
  /** Steps of the setup by their ids, which need an API token. */
  | { readonly is: 'steps'; readonly ids: readonly string[] }

export interface CheckWorld {
  readonly installation: Installation
  readonly storage: ConfiguredStorage
  /** The bucket through the endpoint in the env file; waits as long as an upload may take. */
  readonly connectS3: ConnectS3
  /** The same bucket through any endpoint, with little patience: to see whether it answers. */
  readonly connectS3At: (endpoint: string) => ConnectS3
  readonly web: PublicWebPort
  readonly processes: ProcessesPort
  readonly envReader: EnvReader
  /** The proxy through which this run reaches the endpoint, for people; undefined: it goes directly. */
  readonly behindProxy: string | undefined
  readonly clock: Clock
  /** Media hosts that were announced and are not in use yet. */
  readonly announced?: () => Promise<readonly Announced[]>
}

export interface Announced {
  readonly mediaHost: string
  /** RFC 3339. */
  readonly at: string
  /** The command that brings the host into use. */
  readonly switchWith: ToType
}

/** What Mastodon's settings say about its storage; undefined where nothing is said. */
export interface ConfiguredStorage {
  readonly enabled: boolean
  readonly isR2: boolean
  readonly endpoint: string | undefined
  readonly bucket: string | undefined
  readonly mediaHost: string | undefined
  readonly key: S3Key | undefined
  readonly accountId: string | undefined
  readonly jurisdiction: string | undefined
}

export interface Checked {
  readonly id: string
  readonly about: CheckArea
  readonly title: string
  readonly verdict: Verdict
}

/** A Problem as a verdict; a fault unless told. `more` replaces its words where there are better ones. */
export function troubleOf(
  { what, why, next }: Problem,
  more: {
    severity?: 'fault' | 'warning' | 'note'
    matters?: Text
    next?: Text
    mend?: Mend
  } = {},
): Verdict {
  return { severity: 'fault', saw: what, matters: why, next, ...more }
}
