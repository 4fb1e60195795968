import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DAY_MS } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { shellWord } from '../core/shell-word.ts'
import { asRoot, type CommandFlags, prose } from '../core/to-type.ts'
import { findMastodonHere, holdEnvFile } from '../flow/mastodon-here.ts'
import { noMediaFolder, openMediaFolder } from '../flow/media-folder.ts'
import type { Run } from '../flow/run.ts'
import { callListener, connectWorld, runnerOf, s3Connector } from '../flow/world.ts'
import type { Place, PlaceWorld } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { StreamPort } from '../services/process/port.ts'
import type { RclonePort } from '../services/rclone/port.ts'
import { nextService } from '../services/s3/service.ts'
import { repeated } from '../settings/replay.ts'
import { type NewProvider, readNewProvider, refuseSource } from '../setup/new-provider.ts'
import { linesWanted } from '../setup/provider-lines.ts'
import { type MigrationTarget, targetPlace } from '../setup/target.ts'
import { diskDestination } from './disk.ts'
import { textThere } from './env-switch.ts'
import { hiddenKeys } from './hidden.ts'
import type { Complete, Destination, Leaving } from './leaving.ts'
import { leftFrom } from './left-from.ts'
import { lineOf, refuseOfOtherStage } from './line.ts'
import { otherS3 } from './other-s3.ts'
import type { LeaveStage, leaveCatalog } from './settings.ts'
import { type Switched, switchTime } from './switch-time.ts'

export type LeaveRun = Run<typeof leaveCatalog>

export interface PreparedLeave {
  readonly world: PlaceWorld
  readonly at: Leaving
  /** Where Mastodon goes on to another S3 provider. */
  readonly provider: NewProvider | undefined
  /** On R2. */
  readonly mediaHost: string
}

/** Between the flags and the plan; no bucket is asked anything yet. */
export async function prepareLeave(run: LeaveRun, stage: LeaveStage): Promise<PreparedLeave> {
  const { host, settings } = run
  refuseOfOtherStage(settings, stage)
  const provider = await providerOf(run)
  const found = await findMastodonHere(run, { files: 0, ms: 0 })
  const writes = stage === 'copy' || stage === 'cutover'
  const held = writes && (await holdEnvFile(run, found.envFile, { lookOnly: false }))
  const installation = held === 'changed' ? await findMastodonHere(run, { files: 0, ms: 0 }) : found
  const asked = { ownEndpoint: settings.get('s3EndpointUrl'), line: lineOf(settings, stage) }
  const { target, isSwitched } = await leftFrom(asked, installation, provider)
  if (provider) refuseSource(provider, target)
  const { endpoint, bucket, key, mediaHost } = target
  const over = new AbortController()
  run.atEnd.push(async () => over.abort())
  const { connectRclone } = await import('../services/rclone/client.ts')
  const stream = await streamOf(run)
  const signal = AbortSignal.any([host.interrupted, over.signal])
  const rclone = connectRclone(stream)
  const onCall = callListener(run)
  const r2 = (await s3Connector({ endpoint, bucket, host, onCall }))(key)
  const goesTo = provider
    ? await toProvider(run, provider, { installation, rclone, mediaHost })
    : await toDisk(run, { installation, target })
  const { there, world } = goesTo
  // Throws where the env file can't be written as it will have to be: nothing is copied in vain.
  if (stage === 'survey' || stage === 'copy') textThere({ there }, {}, installation.envFile.text)
  const at: Leaving = {
    bucket: () => r2,
    from: { kind: 'bucket', endpoint, bucket, region: 'auto', key, provider: 'Cloudflare' },
    there,
    installation,
    isSwitched,
    complete: isSwitched
      ? await completeSince(run, { there, installation, left: target })
      : { until: undefined },
    rclone,
    transfers: settings.get('transfers'),
    hidden: hiddenOnce(run, stage, { installation, stream, signal, provider }),
    signal,
    lineFor: (other, more) => lineOf(settings, other, repeated, more),
    tell: (line) => run.ui.progress(line === '' ? undefined : line),
    say: (line) => run.ui.say(line),
    note: (line) => run.ui.call(line),
  }
  return { world, at, provider, mediaHost }
}

/** Problems: those of `readNewProvider`, `new-provider-missing`. */
async function providerOf({ host, settings, ui }: LeaveRun): Promise<NewProvider | undefined> {
  if (settings.need('to') !== 's3') return undefined
  const named = settings.get('toEnv')
  if (named === undefined) throw noProvider()
  const file = resolve(host.cwd, named)
  const provider = await readNewProvider(file)
  const readers = await otherReaders(file)
  if (readers !== undefined)
    ui.warn(
      prose`${readers} can read ${file}, and the secret key in it: ${asRoot(`chmod 600 ${shellWord(file)}`)}`,
    )
  return provider
}

/** Who may read a file besides its owner; a group of root's is none. */
async function otherReaders(file: string): Promise<string | undefined> {
  const { mode, gid } = await stat(file)
  if ((mode & 0o004) !== 0) return 'Every user of this machine'
  return (mode & 0o040) !== 0 && gid !== 0 ? 'The group of the file' : undefined
}

interface GoesTo {
  readonly there: Destination
  readonly world: PlaceWorld
}

async function toDisk(
  run: LeaveRun,
  {
    installation,
    target,
  }: { readonly installation: Installation; readonly target: MigrationTarget },
): Promise<GoesTo> {
  const world = await connectWorld(run, { place: targetPlace(installation, target) })
  const { root } = installation.media
  if (root === undefined) throw noMediaFolder(installation)
  const folder = await openMediaFolder(run, root)
  return { there: diskDestination(folder, runnerOf(run.host)), world }
}

async function toProvider(
  run: LeaveRun,
  provider: NewProvider,
  at: {
    readonly installation: Installation
    readonly rclone: RclonePort
    readonly mediaHost: string
  },
): Promise<GoesTo> {
  const { place, mediaUrl, file, keeping } = provider
  const { endpoint, bucket, region, virtualHost, key } = place
  const service = nextService(endpoint, file)
  const onWait = (seconds: number) =>
    run.ui.warn(`${service.name} asks to go on more slowly; waiting ${seconds} s.`)
  const connectS3 = await s3Connector({
    ...{ endpoint, bucket, region, virtualHost, service },
    host: run.host,
    pace: { onWait },
    onCall: callListener(run),
  })
  const where: Place = {
    at: { bucket, jurisdiction: 'default' },
    mediaHost: mediaUrl.replace(/^https:\/\//, ''),
    s3Endpoint: endpoint,
    installation: asThere(at.installation, provider),
    knownKey: key,
    corsOrigins: ['*'],
    waitKeyMs: 0,
    keeping,
  }
  const facts = { accessKey: { ...key, minted: true } }
  const world = await connectWorld(run, { place: where }, { connectS3, facts })
  return { there: otherS3({ provider, s3: connectS3(key), ...at }), world }
}

/** Mastodon as it will be, for what is tried with its requests. */
function asThere(installation: Installation, { lines, file }: NewProvider): Installation {
  const settings = new Map(installation.settings)
  settings.delete('S3_FORCE_SINGLE_REQUEST')
  for (const [name, value] of lines) settings.set(name, { value, from: file })
  return { ...installation, settings }
}

/** What came within the day before may not have been brought by a run that was cut off. */
async function completeSince({ settings }: LeaveRun, switched: Omit<Switched, 'ownEndpoint'>) {
  const since = await switchTime({ ...switched, ownEndpoint: settings.get('s3EndpointUrl') })
  const time = since?.getTime()
  return { until: time && time - DAY_MS, switchedHere: time } satisfies Complete
}

async function streamOf({ host }: LeaveRun): Promise<StreamPort> {
  const { stream } = await import('../services/process/stream.ts')
  const { environment } = host
  return { stream: (command, options) => stream(command, { ...options, environment }) }
}

interface Hiding {
  readonly installation: Installation
  readonly stream: StreamPort
  readonly signal: AbortSignal
  readonly provider: NewProvider | undefined
}

/** A bucket without ACLs hides nothing, as R2 did not. */
function hiddenOnce(
  { host, settings }: LeaveRun,
  stage: LeaveStage,
  at: Hiding,
): Leaving['hidden'] {
  const { provider, ...asking } = at
  const isOpen = settings.on('suspendedOpen') || (provider && provider.acl === undefined)
  const lineFor = (more?: CommandFlags['leave']) => lineOf(settings, stage, repeated, more)
  const kind = provider ? 's3' : 'disk'
  let asked: Promise<ReadonlySet<string>> | undefined
  return (how) => {
    if (isOpen) return Promise.resolve(new Set<string>())
    if (asked === undefined || how === 'anew')
      asked = hiddenKeys({ ...asking, asRoot: host.userId === 0, kind, lineFor })
    return asked
  }
}

function noProvider(): Problem {
  return new Problem({
    code: 'new-provider-missing',
    what: 'It was not said which S3 provider the media goes on to.',
    why: '--to s3 needs a file with its lines.',
    next: prose`Name it with --to-env PATH. ${linesWanted()}`,
    exit: 2,
  })
}
