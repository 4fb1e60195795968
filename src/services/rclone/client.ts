import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Problem } from '../../core/problem.ts'
import { prose } from '../../core/to-type.ts'
import { aclSent } from './acl.ts'
import { carry } from './carry.ts'
import { aboutCommand, installLine, isAtLeast, redact, versionCommand } from './commands.ts'
import { contentTypeOf, knownExtensions } from './content-types.ts'
import { groupByType, type Stream, Tally } from './output.ts'
import { Pace } from './pace.ts'
import type { CopyBatch, CopyListener, CopyPlace, RclonePort } from './port.ts'
import { failed, refused } from './trouble.ts'

/** The first release that knows R2 (`--s3-provider Cloudflare`) and doesn't fail on its answers. */
const OLDEST = '1.59'

/**
 * `1.60.1` of what `rclone version` says, `rclone v1.60.1-DEV`, or of what any command says with -vv,
 * `rclone: Version "v1.60.1-DEV" starting with parameters`.
 */
export function parseVersion(output: string): string | undefined {
  return /^(?:rclone |.*rclone: Version ")v(\d+\.\d+(?:\.\d+)?)/m.exec(output)?.[1]
}

/** Whether this release can do what is asked of it here. */
export function isNewEnough(version: string): boolean {
  return isAtLeast(version, OLDEST)
}

async function rcloneMissing(): Promise<Problem> {
  return new Problem({
    code: 'rclone-missing',
    what: 'rclone is not installed on this machine.',
    why: 'It is the program that carries the media to R2.',
    next: prose`Install it, then run this again:\n  ${await installLine()}`,
  })
}

function rcloneTooOld(version: string): Problem {
  return new Problem({
    code: 'rclone-too-old',
    what: `rclone ${version} is too old for R2.`,
    why: `Version ${OLDEST} or later is needed; older ones fail with R2's answers.`,
    next: 'Install a newer one as https://rclone.org/install/ says, then run this again.',
  })
}

/** What the rclone of this machine is like. */
export interface About {
  /** E.g. `1.60.1`; undefined when it did not say. */
  readonly version: string | undefined
  /**
   * Extensions to which it gives the right Content-Type by itself: its table is mixed with the
   * machine's own (/etc/mime.types and others). What is not among them has to be told to it.
   */
  readonly types: ReadonlySet<string>
}

/** One run of rclone, on a folder of empty files; never rejects. */
export async function askAbout(stream: Stream): Promise<About> {
  const types = new Set<string>()
  let version: string | undefined
  let folder: string | undefined
  try {
    // Files without content, written at once: faster than to wait for each.
    folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-types-'))
    for (const extension of knownExtensions) writeFileSync(join(folder, `f${extension}`), '')
    const onLine = (line: string) => {
      version ??= parseVersion(line)
      const { Name = '', MimeType = '' } = entry(line)
      if (Name !== '' && MimeType === contentTypeOf(Name)) types.add(Name.slice(1))
    }
    await stream(aboutCommand(folder), { onLine })
    return { version, types }
  } catch {
    return { version, types: new Set() }
  } finally {
    if (folder !== undefined) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    }
  }
}

/** One line of `rclone lsjson`: an object, with the comma before the next one. */
function entry(line: string): { readonly Name?: string; readonly MimeType?: string } {
  if (!line.startsWith('{')) return {}
  try {
    return JSON.parse(line.replace(/,$/, '')) as object
  } catch {
    return {}
  }
}

/**
 * Characters with which rclone writes what a storage can't hold (docs/content/overview.md, "Restricted
 * characters"), and those that end a line of its list or are no plain text to every S3 server.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CHANGED = /[\u0000-\u001f\u007f\u0085\u2028\u2029\u201b\u2400-\u2426\uff0f]|\p{Surrogate}/u

const PARTS: ReadonlySet<string> = new Set(['', '.', '..', '\uff0e', '\uff0e\uff0e'])

/**
 * Whether rclone can be told of a key on one line of `--files-from-raw` and stores it unchanged;
 * found by trying it with 1.60.1. Names that Mastodon makes up are all plain.
 */
export function canCarry(key: string): boolean {
  return !CHANGED.test(key) && !key.split('/').some((part) => PARTS.has(part))
}

const LAST_WORDS = 3

export interface RcloneOptions {
  readonly stream: Stream
  /** Until a service may be asked again; ends early when aborted. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>
  /** Milliseconds, for what is measured. */
  readonly now?: () => number
}

/** rclone through `StreamPort.stream`. */
export function connectRclone(options: RcloneOptions): RclonePort {
  const { sleep = pause, now = () => performance.now() } = options
  const stream: Stream = (...run) => orMissing(options.stream(...run))
  const pace = new Pace()
  let asked: Promise<About> | undefined
  const about = () => {
    asked ??= askAbout(stream)
    return asked
  }
  const typesFor = async ({ from }: CopyBatch) => {
    return from.kind === 'bucket' ? undefined : (await about()).types
  }

  const acl: RclonePort['acl'] = async (place) =>
    place.acl ?? aclSent(place, (await about()).version)
  // Elsewhere the one that an older release sends by itself is as good as any.
  const withAcl = async (to: CopyPlace) =>
    to.kind === 'bucket' && to.provider === 'AWS' ? { ...to, acl: await acl(to) } : to

  return {
    canCarry,
    contentType: contentTypeOf,
    acl,

    async version() {
      try {
        const version = (await about()).version ?? (await askVersion(stream))
        if (!isNewEnough(version)) throw rcloneTooOld(version)
        return version
      } catch (error) {
        // It may be installed, or renewed, until it is asked again.
        asked = undefined
        throw error
      }
    },

    async copy(asWished, listener, signal) {
      const batch = { ...asWished, to: await withAcl(asWished.to) }
      const told = guarded(batch, listener)
      const tally = new Tally(batch, told)
      for (const key of batch.keys) {
        if (!canCarry(key)) tally.failed(key, 'a name that rclone can not be told')
      }
      const keys = batch.keys.filter((key) => tally.isPending(key))
      if (keys.length === 0) return
      const isToDisk = batch.to.kind === 'folder'
      const groups = isToDisk
        ? [{ contentType: undefined, keys }]
        : groupByType(keys, await typesFor(batch))
      for (const group of groups) {
        await carry({ stream, sleep, now, pace, batch, tally, told, signal }, group)
      }
      if (tally.onlyRefused && tally.lastRefusal) throw refused(batch, tally.lastRefusal)
    },
  }
}

/** Where nothing else told it; says what is wrong with a program that is none of rclone's. */
async function askVersion(stream: Stream): Promise<string> {
  const output: string[] = []
  const onLine = (line: string) => void output.push(line)
  await stream(versionCommand(), { onLine })
  const version = parseVersion(output.join('\n'))
  if (version === undefined) throw failed(1, output.slice(0, LAST_WORDS))
  return version
}

/** Reasons are rclone's words: nothing secret leaves with them. */
function guarded({ from, to }: CopyBatch, listener: CopyListener): CopyListener {
  return {
    copied: (key) => listener.copied(key),
    vanished: (key) => listener.vanished(key),
    moving: (bytes, speed) => listener.moving(bytes, speed),
    slower: (...told) => listener.slower?.(...told),
    failed: (key, reason) => listener.failed(key, redact(reason, [from, to])),
  }
}

/** Ends early, and without an error, when aborted: what follows tells of that. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}

async function orMissing<T>(running: Promise<T>): Promise<T> {
  try {
    return await running
  } catch (error) {
    if (error instanceof Problem && error.code === 'program-missing') throw await rcloneMissing()
    throw error
  }
}
