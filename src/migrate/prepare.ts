import { announcementNotes } from '../announce/notes.ts'
import { stateHome } from '../core/state-home.ts'
import { findMastodonHere, holdEnvFile, remember } from '../flow/mastodon-here.ts'
import { connectWorld } from '../flow/world.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import type { StreamPort } from '../services/process/port.ts'
import type { RclonePort } from '../services/rclone/port.ts'
import type { ConnectS3, S3Port } from '../services/s3/port.ts'
import type { Stage } from '../settings/stages.ts'
import { findMigrationTarget, type MigrationTarget, targetPlace } from '../setup/target.ts'
import { chooseSelection } from './ask.ts'
import { otherStageLine } from './line.ts'
import type { MigrateRun, Migration, PreparedMigration } from './migration.ts'
import { switchTime } from './removed-since.ts'
import { findSource } from './source.ts'
import { onlyFromS3, refuseOfOtherSource } from './stage-flags.ts'

/** Between the flags and the stages: nothing is asked of the network here. */
export async function prepareMigration(run: MigrateRun): Promise<PreparedMigration> {
  const { settings } = run
  const tools = await migrationTools(run)
  const installation = await findMastodonHere(run, { files: 0, ms: 0 })
  const ownEndpoint = settings.get('s3EndpointUrl')
  const target = await findMigrationTarget(installation, settings, {
    from: settings.get('from'),
    async hasBegun(to) {
      const notes = await announcementNotes(run, installation, to, { switchedOn: false })
      return (await notes.read()) !== undefined
    },
  })
  const remembered = remember(installation, ownEndpoint)
  const world = await connectWorld(
    run,
    { place: targetPlace(installation, target) },
    {
      ca: run.ca,
      // A cut-over proves uploads and public reads anew, as if the key were fresh.
      facts: { accessKey: { ...target.key, minted: true }, domainActive: { attached: true } },
    },
  )
  const isR2 = remembered.storage === 'r2' && remembered.switchedOn
  const switchedOn = isR2 && target.aside === undefined
  const { checkpoint, migration, old, bringBack } = await migrationOf(run, tools.rclone, {
    installation,
    target,
    connectS3: world.connectS3,
    switchedOn,
  })
  const { stream } = tools
  return { installation, target, world, migration, stream, old, bringBack, checkpoint, switchedOn }
}

interface MigrationTools {
  readonly stream: StreamPort
  readonly rclone: RclonePort
}

/** Programs first: rclone takes a tenth of a second to answer, and does so while the rest is found. */
async function migrationTools({ host, settings }: MigrateRun): Promise<MigrationTools> {
  const [{ connectRclone }, { stream }] = await Promise.all([
    import('../services/rclone/client.ts'),
    import('../services/process/stream.ts'),
  ])
  const streaming: StreamPort = {
    stream: (command, options) => stream(command, { ...options, environment: host.environment }),
  }
  const rclone = connectRclone(streaming)
  // Whoever needs it asks again, and is told what is wrong.
  if (settings.get('stage') === 'copy') rclone.version().catch(() => undefined)
  return { stream: streaming, rclone }
}

async function migrationOf(
  run: MigrateRun,
  rclone: RclonePort,
  {
    installation,
    target,
    connectS3,
    switchedOn,
  }: {
    readonly installation: Installation
    readonly target: MigrationTarget
    readonly connectS3: ConnectS3
    readonly switchedOn: boolean
  },
) {
  const { host, ui, settings } = run
  const { endpoint, bucket, key } = target
  // What a look has begun to read and nobody carried out would keep the program running.
  const over = new AbortController()
  run.atEnd.push(async () => over.abort())
  const { source, from, old, bringBack } = await findSource(run, installation, target)
  refuseOfOtherSource(settings, source.kind)
  if (settings.get('engine') === 'super-slurper' && old === undefined) throw onlyFromS3()
  const [{ openCheckpoint, checkpointId }, { connectTootctl }] = await Promise.all([
    import('../services/checkpoint/checkpoint.ts'),
    import('../services/mastodon/tootctl.ts'),
  ])
  const checkpoint = openCheckpoint({
    notice: (line) => ui.warn(line),
    stateHome: stateHome(host.environment),
    id: checkpointId(source.name, endpoint, bucket),
  })
  const known = await checkpoint.read()
  // A first copy lists the bucket; what that takes is loaded while rclone tells its version.
  if (known?.completeSince === undefined) void import('../services/s3/client.ts')
  const selection = chooseSelection(run, known)
  let opened: S3Port | undefined
  const migration: Migration = {
    source,
    selection,
    checkpoint,
    rclone,
    tootctl: connectTootctl(installation, { asRoot: host.userId === 0 }),
    bucket: () => (opened ??= connectS3(key)),
    from,
    to: { kind: 'bucket', endpoint, bucket, region: 'auto', key, provider: 'Cloudflare' },
    wishes: {
      transfers: settings.get('transfers'),
      bwlimit: settings.get('bwlimit'),
      withRemoved: settings.on('withRemoved'),
    },
    switched: switchedOn ? { at: () => switchTime(installation, bucket) } : undefined,
    signal: AbortSignal.any([host.interrupted, over.signal]),
    width: Math.max((host.stdout.columns || 100) - 8, 30),
    lineFor: (stage, more) => otherStageLine(run, stage, more),
    tell: (line) => ui.progress(line),
    say: (line) => ui.say(line),
  }
  return { migration, checkpoint: known, old, bringBack }
}

/** The notes that this process keeps others from. */
const held = new Set<string>()

/**
 * Keeps a second migration to the same bucket away until this run ends, and whoever else would write
 * the env file; looks need no lock. Problems: `migration-running`, `lock-not-writable`, `locked`.
 */
export async function holdMigration(
  run: MigrateRun,
  { migration, installation }: PreparedMigration,
  stage: Stage,
): Promise<void> {
  const { path } = migration.checkpoint
  const looksOnly = stage === 'survey' || (stage === 'compare' && !run.settings.on('removeExtras'))
  if (looksOnly || run.settings.on('dryRun')) return
  if (stage === 'announce' || stage === 'cutover') await holdEnv(run, installation.envFile)
  if (held.has(path)) return
  const { lockCheckpoint } = await import('../services/checkpoint/checkpoint.ts')
  const who = { pid: run.host.pid, command: 'migrate' }
  const release = await lockCheckpoint(migration.checkpoint, who)
  run.atEnd.push(async () => {
    held.delete(path)
    await release()
  })
  held.add(path)
}

async function holdEnv(run: MigrateRun, file: EnvFileOnDisk): Promise<void> {
  if (held.has(file.realPath)) return
  if ((await holdEnvFile(run, file, { lookOnly: false })) === 'not held') return
  held.add(file.realPath)
  run.atEnd.push(async () => void held.delete(file.realPath))
}

/** Whether this process keeps others from the env file. */
export function holdsEnv({ realPath }: Pick<EnvFileOnDisk, 'realPath'>): boolean {
  return held.has(realPath)
}
