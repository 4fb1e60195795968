import { count } from '../core/amounts.ts'
import { KeyPack } from '../core/key-pack.ts'
import { Problem } from '../core/problem.ts'
import { unionOf } from '../core/sorted-keys.ts'
import { prose, type ToType, toType } from '../core/to-type.ts'
import { openMediaFolder } from '../flow/media-folder.ts'
import type { Prepared } from '../flow/run.ts'
import { connectWorld } from '../flow/world.ts'
import { keepHeapSmall } from '../moving/small-heap.ts'
import { EXAMPLES } from '../moving/tally.ts'
import type { Gone } from '../plan/report-gone.ts'
import type { PlaceWorld } from '../plan/step.ts'
import type { NextList } from '../services/lists/port.ts'
import type { StreamPort } from '../services/process/port.ts'
import { contradiction, firstFlag, isFlag, noEffect, ofCloudflare } from '../settings/no-effect.ts'
import { replay } from '../settings/replay.ts'
import { targetPlace } from '../setup/target.ts'
import { type KnownBefore, keepList, knownBefore, listsOf } from './known-before.ts'
import { type Leftovers, leftovers } from './leftovers.ts'
import { type Lookback, lookBack } from './lookback.ts'
import { findCaches, findHere, type Here, type PurgeRun, placesOf } from './places.ts'
import { countKind, purgeGone } from './purge-gone.ts'
import { purgeFlags } from './settings.ts'
import { closingOf, day } from './since-closing.ts'
import { stillKnown } from './still-known.ts'

/** Whether a run goes by lists of the bucket, and by no addresses. Problem `settings-contradict`. */
export function looksBack({ settings }: PurgeRun): boolean {
  const name = settings.get('deletedSince') === undefined ? 'keepList' : 'deletedSince'
  if (name === 'keepList' && !settings.on('keepList')) return false
  const flag = settings.flag(name)
  if (settings.get('address') !== undefined) {
    const address = isFlag(settings, 'address') ? 'An address' : settings.flag('address')
    throw contradiction(address, flag, `${flag} finds by itself what it is about`)
  }
  if (settings.on('andDelete')) {
    const why = {
      deletedSince: 'what is looked for is gone from the bucket already',
      keepList: 'it purges nothing, and keeps a list alone',
    }
    throw contradiction('--and-delete', flag, why[name])
  }
  const unused = name === 'keepList' ? firstFlag(settings, ofCloudflare) : undefined
  if (unused !== undefined) {
    throw noEffect(
      `${unused} with ${flag}`,
      'The bucket is listed then, and Cloudflare is not asked.',
    )
  }
  return true
}

/** A list of the bucket asks nothing of Cloudflare, whatever variables tell. */
function lineOf({ settings }: PurgeRun): ToType {
  const isList = settings.get('deletedSince') === undefined
  return replay('purge', purgeFlags, settings.entries(), { without: isList ? ofCloudflare : [] })
}

/** What a run that looks back has found. */
interface Found {
  readonly before: KnownBefore | undefined
  readonly now: Date
  readonly lookback: Lookback
  /** With --deleted-since. */
  readonly judged: Judged | undefined
}

interface Judged {
  /** Neither in the bucket nor known to Mastodon. */
  readonly gone: KeyPack
  readonly kinds: ReadonlyMap<string, number>
  readonly examples: readonly string[]
  readonly known: ReadonlySet<string>
  readonly unclear: ReadonlySet<string>
  readonly disk: Leftovers | undefined
}

/** `--deleted-since` and `--keep-list`. Problem `not-known-so-far`, and those of all that is asked. */
export async function prepareLookback(run: PurgeRun): Promise<Prepared<PlaceWorld>> {
  keepHeapSmall()
  const { settings, clock } = run
  const over = new AbortController()
  run.atEnd.push(async () => over.abort())
  const here = await findHere(run)
  const lists = await listsOf(run, here)
  const before = await knownBefore(run, here, lists)
  const ago = settings.get('deletedSince')
  const now = clock.now()
  const wished = ago === undefined ? undefined : new Date(now.getTime() - ago)
  if (wished && !(before && before.from <= wished)) throw notKnown(before, now)
  const places = wished && (await placesOf(here, run.ui))
  const caches = places && (await findCaches(run, here, places))
  const world =
    caches?.world ??
    (await connectWorld(run, { place: targetPlace(here.installation, here.target) }))
  const signal = AbortSignal.any([run.host.interrupted, over.signal])
  const tell = (state: string) => run.ui.progress(state)
  const lookback = await lookBack({
    before: before ? await before.latest() : unionOf([]),
    earlier: wished && before ? earlierOf(before, wished) : [],
    bucket: world.connectS3(here.target.key),
    signal,
    tell,
  })
  const judged = wished && (await judge(run, here, lookback, signal))
  run.ui.progress(undefined)
  const found: Found = { before, now, lookback, judged }
  const purging = caches && judged ? purgeGone(judged.gone, judged.kinds, { ...caches }) : undefined
  const again = lineOf(run)
  const gone = reported(found, lists.path)
  return {
    world,
    steps: [
      ...(purging ? [purging.step] : []),
      keepList(lists, nextOf(found), [
        ...stillToCome(before, now),
        ...(judged ? lostWords(judged.known) : []),
      ]),
    ],
    planTitle: 'Plan',
    shown: ['mediaHost', 'bucket'],
    again,
    details: () => ({ purge: { proofs: [...(purging?.proofs ?? [])], since: gone } }),
    closing: (ended) =>
      closingOf({
        ...ended,
        again,
        gone,
        proofs: purging?.proofs ?? [],
        installation: here.installation,
        asRoot: run.host.userId === 0,
      }),
  }
}

function earlierOf({ gone }: KnownBefore, wished: Date) {
  return gone.filter(({ to }) => to > wished).map((one) => one.keys())
}

/** Leaves out what Mastodon still knows, and looks for the rest on the disk. */
async function judge(
  run: PurgeRun,
  { installation }: Here,
  { gone: missing }: Lookback,
  signal: AbortSignal,
): Promise<Judged> {
  const gone = new KeyPack()
  const kinds = new Map<string, number>()
  const examples: string[] = []
  const { known, unclear } = await ask(run, installation, missing, signal)
  for await (const some of missing.read()) {
    const keys = some.map(({ key }) => key).filter((key) => !known.has(key) && !unclear.has(key))
    for (const key of keys) countKind(kinds, key)
    examples.push(...keys.slice(0, EXAMPLES - examples.length))
    await gone.add(keys)
  }
  await gone.end()
  const disk = await diskOf(run, installation)
  const tell = (state: string) => run.ui.progress(state)
  const left = disk && gone.keys > 0 ? await leftovers(disk, gone, { signal, tell }) : undefined
  return { gone, kinds, examples, known, unclear, disk: left }
}

async function ask(
  { host, ui }: PurgeRun,
  installation: Here['installation'],
  missing: KeyPack,
  signal: AbortSignal,
) {
  if (missing.keys === 0) return { known: new Set<string>(), unclear: new Set<string>() }
  ui.progress('Asking Mastodon which of these files it still knows')
  const { stream } = await import('../services/process/stream.ts')
  const { environment } = host
  const streaming: StreamPort = {
    stream: (command, options) => stream(command, { ...options, environment }),
  }
  const at = { installation, stream: streaming, asRoot: host.userId === 0, signal }
  return await stillKnown(at, missing.read(), missing.keys)
}

async function diskOf(run: PurgeRun, { media }: Here['installation']) {
  if (media.root === undefined || !media.readable) return undefined
  return (await openMediaFolder(run, media.root)).source
}

function nextOf({ before, now, lookback }: Found): NextList {
  const { now: keys, goneSince } = lookback
  if (!before) return { at: now, keys, gone: undefined }
  const first = before.moments.length === 1 ? before.first : 'list'
  return { at: now, keys, gone: { from: before.at, first, keys: goneSince } }
}

function reported({ before, now, lookback, judged }: Found, path: string): Gone {
  const moments = [now, ...(before?.moments ?? [])].map((at) => at.getTime())
  const gaps = moments.slice(1).map((at, nth) => (moments[nth] ?? at) - at)
  const missing = [...(judged?.known ?? [])]
  return {
    knownFrom: before?.from.toISOString() ?? null,
    begins: before?.first ?? null,
    lists: before?.moments.length ?? 0,
    longestGap: Math.max(0, ...gaps),
    objects: lookback.now.keys,
    path,
    gone: judged
      ? {
          objects: judged.gone.keys,
          examples: [...judged.examples],
          kinds: [...judged.kinds].map(([title, objects]) => ({ title, objects })),
        }
      : null,
    missing: { objects: missing.length, examples: missing.slice(0, EXAMPLES) },
    others: lookback.others + (judged?.unclear.size ?? 0),
    disk: judged?.disk ?? null,
  }
}

function lostWords(known: ReadonlySet<string>): string[] {
  const [first] = known
  if (first === undefined) return []
  const [are, names, went] =
    known.size === 1
      ? ['file is', 'names it', 'It was lost, or taken from the bucket alone']
      : ['files are', 'names them', 'They were lost, or taken from the bucket alone']
  return [
    `${count(known.size)} ${are} gone from the bucket, and Mastodon's database still ${names}, such as ${first}. ${went}, as purge --and-delete does: nothing of it is purged, as the cache may hold the last copy.`,
  ]
}

function stillToCome(before: KnownBefore | undefined, now: Date): string[] {
  if (!before || before.at <= now) return []
  return [
    `What is known of the bucket bears the time ${day(before.at)}, which is still to come: the clock of this machine was wrong then, or is now. It stays known, and counts as of this moment.`,
  ]
}

function notKnown(before: KnownBefore | undefined, now: Date): Problem {
  const known = before && now.getTime() - before.from.getTime()
  const keep = prose`Keep a list from now on, best every day by cron: ${toType('purge', { keepList: true })}`
  const hours = known === undefined ? 0 : Math.floor(known / 3_600_000)
  const time = hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`
  const next =
    hours < 1 ? keep : prose`What has gone since then: ${toType('purge', { deletedSince: time })}`
  const told = before && [
    `${before.first === 'copy' ? 'The media was copied here until' : 'The first list of it is of'} ${day(before.from)}.`,
    ...stillToCome(before, now),
  ]
  return new Problem({
    code: 'not-known-so-far',
    what: 'It is not known what the bucket held so long ago.',
    why: told
      ? told.join(' ')
      : 'No list of it was kept, and Mastodon notes nowhere when media was deleted.',
    next: before
      ? next
      : prose`${keep}\nWhat has to go now goes by its address: ${toType('purge', { address: '/@somebody/1' })}`,
    exit: 2,
  })
}
