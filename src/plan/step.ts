import type { Problem } from '../core/problem.ts'
import type { Text } from '../core/to-type.ts'
import type {
  BootstrapToken,
  BucketRef,
  CloudflarePort,
  KeyOwner,
  LocationHint,
  MintedKey,
  Zone,
} from '../services/cloudflare/port.ts'
import type { EnvFileOnDisk, Installation, ProcessesPort } from '../services/mastodon/port.ts'
import type { RunnerPort } from '../services/process/port.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'
import type { ConnectS3, S3Key } from '../services/s3/port.ts'

/**
 * One thing that is taken care of. `look` never writes; `change` never asks and never prints;
 * `confirm` polls for what takes time, while later steps already run.
 */
export interface Step<Needs extends keyof World = keyof World> {
  /** Stable: tests, JSON and scripts name steps by it. */
  readonly id: string
  readonly title: string
  look(at: Pick<World, Needs>): Promise<Finding>
  /** Carries out what `look` announced and returns what it learned. */
  change?(at: Pick<World, Needs>): Promise<Partial<Facts>>
  /** How far a change came that was stopped, as in `2 files, 30 KB copied`. */
  reached?(): string | undefined
  /** Called after `change`, beside the steps that follow; `tell` shows the state reached so far. */
  confirm?(at: Pick<World, Needs>, tell: (state: string) => void): Promise<Finding>
  /** Takes back what can't be found again, when a later step fails or the run is cancelled. */
  undo?(at: Pick<World, Needs>): Promise<Text | undefined>
}

export type Finding =
  | {
      readonly is: 'ready'
      readonly note: Text
      readonly warnings?: readonly Text[]
      readonly facts?: Partial<Facts>
    }
  | {
      readonly is: 'change'
      readonly changes: readonly Change[]
      readonly warnings?: readonly Text[]
    }
  /** Can't be looked at until another step has run. `will` says what is done then. */
  | { readonly is: 'waiting'; readonly on: keyof Facts; readonly will: string }
  | { readonly is: 'blocked'; readonly problem: Problem }
  /** Can't be done in this run, and that is no failure. `next` is what to type before the next one. */
  | {
      readonly is: 'later'
      readonly note: Text
      readonly next: Text
      readonly warnings?: readonly Text[]
    }

export interface Change {
  readonly what: string
  readonly risk: Risk
}

/** `public`: others can see the effect. `destructive`: something is lost; needs its own flag. */
export type Risk = 'safe' | 'public' | 'destructive'

/** What steps learn, each fact written by one step. */
export interface Facts {
  /** access-keys, or new-key of a rotation: the key that Mastodon will use. */
  readonly accessKey: S3Key & { readonly minted: boolean }
  /** upload-probe: the key did all that Mastodon does. */
  readonly keyProven: true
  /** media-domain: ownership and certificate are active; `attached` when this run did it. */
  readonly domainActive: { readonly attached: boolean }
  /** env-file: where the settings are now. */
  readonly envWritten: EnvWritten
  /** public-read: an object uploaded with the key came back through the media host. */
  readonly publicProven: true
  /** old-key: what is there to rotate, decided once for a run. */
  readonly rotation: Rotation
  /** old-key-name: the env file may be switched, as the old key is known to be an old one. */
  readonly oldKeyNamed: true
  /** restart: when the commands were run. */
  readonly restartedAt: Date
  /** processes: all of them began after the env file changed, the last one at `since`. */
  readonly allFresh: { readonly since: Date; readonly fileChangedAt: Date }
  /** copy and its repetitions: what came of the last one. */
  readonly mediaCopied: CopySummary
  /** quiet: no job of Sidekiq writes media until the services are started anew. */
  readonly quieted: true
  /** switched: Mastodon's new storage is proven; from here on nothing goes back. */
  readonly switched: { readonly at: Date }
  /** grace: nobody holds a link any more that the old key signed. */
  readonly graceOver: true
}

export interface EnvWritten {
  /** The file, or undefined when the block was handed out for printing. */
  readonly file: string | undefined
  readonly backup: string | undefined
  readonly changed: readonly string[]
  /** Masked `-`/`+` lines. */
  readonly diff: readonly string[]
}

/** What a run has to work with. Steps name the parts that they use. */
export interface World {
  readonly cloudflare: CloudflarePort
  readonly connectS3: ConnectS3
  readonly web: PublicWebPort
  readonly envWriter: EnvWriter
  readonly processes: ProcessesPort
  readonly runner: RunnerPort
  readonly clock: Clock
  readonly setup: Setup
  readonly facts: Partial<Facts>
}

export interface Clock {
  now(): Date
  /** Milliseconds; rejects with Cancelled when the person stops the run. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lower-case hexadecimal characters from a cryptographic source. */
  randomHex(length: number): string
}

/** The env file's side: pure edit, masked diff and the one write. */
export interface EnvWriter {
  /** The whole new text of the target, secrets inside. */
  edit(text: string, values: ReadonlyMap<string, string>, retire: readonly string[]): string
  diff(before: string, after: string): string[]
  /** Backup, temporary file, rename. Returns the backup's path. */
  write(file: EnvFileOnDisk, text: string): Promise<{ backup: string | undefined }>
  /** The block alone, for printing. */
  render(values: ReadonlyMap<string, string>): string
}

/** What was chosen, all of it plain data. */
export interface Setup {
  readonly token: BootstrapToken
  readonly owner: KeyOwner
  readonly at: BucketRef
  readonly location: LocationHint | undefined
  readonly zone: Zone
  readonly mediaHost: string
  readonly corsOrigins: readonly string[]
  readonly allowIps: readonly string[]
  /** RFC 3339 without milliseconds. */
  readonly keyExpiresOn: string | undefined
  /** What S3_ENDPOINT will hold. */
  readonly s3Endpoint: string
  /** Milliseconds to wait for the custom domain. */
  readonly waitDomainMs: number
  /** Milliseconds to wait for a new key to work (Cloudflare: up to a minute). */
  readonly waitKeyMs: number
  readonly installation: Installation
  /** `switch`: S3_ENABLED=true. `prepare`: the block is written with S3_ENABLED=false. */
  readonly storage: 'switch' | 'prepare'
  readonly target: EnvTarget
  /** The key that the target or Mastodon's env files already hold, when it is for this bucket. */
  readonly knownKey: S3Key | undefined
}

export type EnvTarget =
  | { readonly kind: 'file'; readonly file: EnvFileOnDisk }
  /** Nothing is written on this machine; the block is printed, for the file at `path`. */
  | { readonly kind: 'print'; readonly reason: string; readonly path: string }

/** What came of a copy, for words and for the report. */
export interface CopySummary {
  readonly objects: number
  readonly bytes: number
  readonly failed: readonly { readonly key: string; readonly reason: string }[]
  /** Gone from the source when their turn came. */
  readonly vanished: number
  /** Left out by the selection. */
  readonly leftOut: number
}

/** What there is to rotate, as the names of the keys tell it. */
export interface Rotation {
  /** `begin`: a new key is made. `finish`: the env file holds it already. */
  readonly kind: 'begin' | 'finish'
  /** The key that the env file held at the start, as Cloudflare shows it. */
  readonly envKey: MintedKey | undefined
  /** What is removed at the end, and never before. */
  readonly old: readonly MintedKey[]
  /** Why the old key can't be removed by this program; undefined when it can. */
  readonly stays: string | undefined
}
