/**
 * Who calls what, in which order.
 *
 * 1. `survey` looks at all steps at the same time. A step that waits for a fact is looked at again once
 *    another step's look has told it. That is `check`, and `--dry-run`.
 * 2. The flow shows the plan and gets one yes for all of it. Steps never ask.
 * 3. `apply` goes through the steps in array order: `look` again (unless the survey is seconds old and
 *    nothing has changed since), `change` where there is something to change, then `look` once more:
 *    anything but ready is a failure, as what was only accepted has not happened yet.
 * 4. A step with `confirm` is polled instead of looked at, beside the steps that follow: so long waits
 *    overlap. A later step that needs its fact waits for it.
 * 5. When a step fails or the person stops, the waits end, and `undo` is called from the last step to
 *    the first, of all of them: each knows by the facts whether there is something of its own to take
 *    back. Later steps are reported as skipped; a second run goes on from what it sees.
 *
 * What a step learns goes to the others as facts alone. `ready` and `change` return them, the runner
 * merges them; nobody writes into the world. Each fact has one writer, which `Facts` names (a command
 * without that step gives the fact at the start): so it is known who to ask when it is wrong, two steps
 * can't disagree about it, and the order of the steps can be read from who waits for what.
 */

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
import type { ConnectS3, Keeping, S3Key } from '../services/s3/port.ts'

/** A step by the parts of the world that it names: `Step<'cloudflare' | 'place'>`. */
export type Step<Needs extends keyof World = keyof World> = StepIn<Pick<World, Needs>>

/**
 * One thing that is taken care of, in any world that has what it needs. `look` never writes; `change`
 * never asks and never prints; `confirm` polls for what takes time, while later steps already run.
 */
export interface StepIn<At> {
  /** Stable: tests, JSON and scripts name steps by it. */
  readonly id: string
  readonly title: string
  // Properties, not methods: TypeScript then refuses a step in a world that lacks what it needs.
  readonly look: (at: At) => Promise<Finding>
  /**
   * What its look found can't be changed by the steps before it: seconds later it holds, though they
   * have changed something meanwhile.
   */
  readonly standsAlone?: (at: At) => boolean
  /** Carries out what `look` announced and returns what it learned; `seen` is from that look. */
  readonly change?: (at: At, seen?: Seen) => Promise<Partial<Facts>>
  /** How far a change came that was stopped, as in `2 files, 30 KB copied`. */
  readonly reached?: () => string | undefined
  /** Called after `change`, beside the steps that follow; `tell` shows the state reached so far. */
  readonly confirm?: (at: At, tell: (state: string) => void) => Promise<Finding>
  /** Takes back what can't be found again, when a later step fails or the run is cancelled. */
  readonly undo?: (at: At) => Promise<Text | undefined>
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
      readonly seen?: Seen
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

/** What a look saw that its change goes by, so that it is not asked for again. */
export interface Seen {
  /** media-domain: the host is attached to no bucket. */
  readonly unattached?: true
  /** key-in-use: the key that gets its lasting name. */
  readonly key?: MintedKey
}

export interface Change {
  readonly what: string
  readonly risk: Risk
  /** Something is taken away, and is not there afterwards. */
  readonly goes?: true
}

/** `public`: others can see the effect. `destructive`: something is lost; needs its own flag. */
export type Risk = 'safe' | 'public' | 'destructive'

/** What steps learn, each fact written by one step. */
export interface Facts {
  /** token: who the API token is. */
  readonly token: BootstrapToken
  /** bucket: this run made it. */
  readonly bucketMade: true
  /** access-keys, or new-key of a rotation: the key that Mastodon will use. */
  readonly accessKey: S3Key & { readonly minted: boolean; readonly made?: MintedKey | undefined }
  /** upload-probe: the key did all that Mastodon does. */
  readonly keyProven: true
  /** upload-probe: what public-read will read, put there while the domain is waited for. */
  readonly testFile: string
  /** upload-probe: reads by part number are refused, so S3_FORCE_SINGLE_REQUEST=true is needed. */
  readonly singleRequests: true
  /**
   * media-domain: ownership and certificate are active; `attached` when this run did it. `untold`: the
   * host answers, and Cloudflare does not tell the state.
   */
  readonly domainActive: { readonly attached: boolean; readonly untold?: true }
  /** env-file, or env-lines of `check --fix`: where the settings are now. */
  readonly envWritten: EnvWritten
  /** public-read: an object uploaded with the key came back through the media host; then it goes. */
  readonly publicProven: { readonly testFile?: string }
  /** old-key: what is there to rotate, decided once for a run. */
  readonly rotation: Rotation
  /** old-key-name: the env file may be switched, as the old key is known to be an old one. */
  readonly oldKeyNamed: true
  /** key-in-use: the name that the key has now. */
  readonly keyNamed: string
  /** restart: when the commands were run. */
  readonly restartedAt: Date
  /** fresh-processes: all of them began after the env file changed, the last one at `since`. */
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

/** A fact that a step has seen to before it changes anything; it has looked, so it is there. */
export function learned<Name extends keyof Facts>(facts: Partial<Facts>, name: Name): Facts[Name] {
  const fact = facts[name]
  if (fact === undefined) throw new Error(`A step changes before it knows ${name}.`)
  return fact as Facts[Name]
}

export interface EnvWritten {
  /** The file, or undefined when the block was handed out for printing. */
  readonly file: string | undefined
  readonly backup: string | undefined
  readonly changed: readonly string[]
  /** Masked `-`/`+` lines. */
  readonly diff: readonly string[]
}

/**
 * What a run has to work with. Steps name the parts that they use. `place`, `minting` and `setup` are
 * one and the same, as far as the command knows it.
 */
export interface World {
  readonly cloudflare: CloudflarePort
  readonly connectS3: ConnectS3
  readonly web: PublicWebPort
  readonly envWriter: EnvWriter
  readonly processes: ProcessesPort
  readonly runner: RunnerPort
  readonly clock: Clock
  readonly place: Place
  readonly minting: Minting
  readonly setup: Setup
  readonly facts: Partial<Facts>
}

/** The world of a command that only uses what is set up: no token, no zone. */
export type PlaceWorld = Omit<World, 'minting' | 'setup'>

/** The world of a command that makes keys, and touches no zone. */
export type MintingWorld = Omit<World, 'setup'>

export function inMinting(minting: Minting): Pick<World, 'place' | 'minting'> {
  return { place: minting, minting }
}

export function inSetup(setup: Setup): Pick<World, 'place' | 'minting' | 'setup'> {
  return { place: setup, minting: setup, setup }
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
  /**
   * The same with what the file held before this run, which has just written what it holds: no backup
   * is made of that, as it would pass for settings that Mastodon was in use with.
   */
  putBack(file: EnvFileOnDisk, text: string): Promise<void>
  /** Mastodon as it would be read if the file held this text: no file is changed, nothing is run. */
  preview(file: EnvFileOnDisk, text: string): Promise<Installation>
  /** The block alone, for printing. */
  render(values: ReadonlyMap<string, string>): string
}

/** A bucket on R2, the host that serves it and the Mastodon that uses both; plain data. */
export interface Place {
  /** An own S3 endpoint does not tell the account. */
  readonly at: Pick<BucketRef, 'bucket' | 'jurisdiction'>
  readonly mediaHost: string
  /** What S3_ENDPOINT holds or will hold. */
  readonly s3Endpoint: string
  readonly installation: Installation
  /** The key that the target or Mastodon's env files already hold, when it is for this bucket. */
  readonly knownKey: S3Key | undefined
  readonly corsOrigins: readonly string[]
  /** Milliseconds in which a key may be refused at first (Cloudflare: up to a minute); 0 for an old one. */
  readonly waitKeyMs: number
  /** What Mastodon sends with every upload besides; nothing, as R2 has neither, unless told. */
  readonly keeping?: Keeping
}

/** A place, and the token that makes keys for it. */
export interface Minting extends Place {
  readonly at: BucketRef
  /** Who it is may be asked while other things are looked at. Rejects with what is wrong with it. */
  readonly token: () => Promise<BootstrapToken>
  readonly owner: KeyOwner
  /** `--token-kind` says so; else it is what the token allows. */
  readonly isOwnerWished?: boolean
  readonly allowIps: readonly string[]
  /** RFC 3339 without milliseconds. */
  readonly keyExpiresOn: string | undefined
  /** Where the key will stand. */
  readonly target: EnvTarget
}

/** All that was chosen for a setup. */
export interface Setup extends Minting {
  /** The jurisdiction was named for this run, and is neither a default nor remembered. */
  readonly jurisdictionGiven: boolean
  readonly location: LocationHint | undefined
  readonly zone: Zone
  /** Milliseconds to wait for the custom domain. */
  readonly waitDomainMs: number
  /** `switch`: S3_ENABLED=true. `prepare`: the block is written with S3_ENABLED=false. */
  readonly storage: 'switch' | 'prepare'
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
  /** Not sent again, as the bucket has their content: their owner, mode or place changed. */
  readonly unchanged?: number
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
