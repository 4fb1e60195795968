import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import {
  preparedPath,
  type ThirdStorage,
  thirdStorage,
  thirdStorageCopy,
} from '../flow/mastodon-here.ts'
import { noMediaFolder, openMediaFolder } from '../flow/media-folder.ts'
import { callListener, s3Connector } from '../flow/world.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { BringBackPort, MediaSource } from '../services/media/port.ts'
import type { CopyPlace } from '../services/rclone/port.ts'
import { sourceService } from '../services/s3/service.ts'
import { bucketSource, type OldProvider, oldProvider } from '../setup/old-provider.ts'
import type { MigrationTarget } from '../setup/target.ts'
import type { MigrateRun } from './migration.ts'

export interface FoundSource {
  readonly source: MediaSource
  readonly from: CopyPlace
  /** Where the media is another provider's. */
  readonly old: OldProvider | undefined
  /** Where the media is a folder: what puts some of it back. */
  readonly bringBack?: BringBackPort
}

/** Where the media is now. Problems: `no-media-folder`, those of `oldProvider`. */
export async function findSource(
  run: MigrateRun,
  installation: Installation,
  target: MigrationTarget,
): Promise<FoundSource> {
  const { settings } = run
  const named = settings.get('mediaDir') === undefined ? undefined : 'local'
  const third = thirdStorage(installation)
  if (third !== undefined && settings.get('from') !== 'local' && named === undefined) {
    throw notCopiedHere(third, target)
  }
  const wish = settings.get('from') ?? named ?? (await usedSoFar(installation, target))
  if (wish === 's3')
    return ofProvider(run, await findProvider(installation, target, settings.on('sandbox')))
  const root = installation.media.root
  if (root === undefined) {
    throw noMediaFolder(installation, ' Is the media at another S3 provider? Add --from s3.')
  }
  return { ...(await openMediaFolder(run, root)), old: undefined }
}

/** The file beside the env file is made for moves from another provider only, and outlives the switch. */
async function usedSoFar(
  { envFile }: Installation,
  { aside }: MigrationTarget,
): Promise<'local' | 's3'> {
  if (aside !== undefined) return 's3'
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  return (await readEnvFile(preparedPath(envFile))).exists ? 's3' : 'local'
}

async function ofProvider(run: MigrateRun, old: OldProvider): Promise<FoundSource> {
  const { host, ui } = run
  for (const note of old.notes) ui.say(note)
  const { endpoint, bucket, region, virtualHost, key } = old.place
  const onCall = callListener(run)
  const service = sourceService(endpoint)
  const pace = {
    onWait: (seconds: number) =>
      ui.warn(`${service.name} asks to go on more slowly; waiting ${seconds} s.`),
  }
  const place = { endpoint, bucket, region, virtualHost, service }
  const connect = await s3Connector({ ...place, host, pace, onCall })
  return { source: bucketSource(connect(key), old.name), from: old.place, old }
}

/** In the env file until the switch; in the newest backup that still names it afterwards. */
async function findProvider(
  installation: Installation,
  target: MigrationTarget,
  rehearsal: boolean,
): Promise<OldProvider> {
  const read = (settings: Installation['settings']) =>
    oldProvider(settings, { to: target, rehearsal })
  try {
    return read(installation.settings)
  } catch (error) {
    const isElsewhere =
      error instanceof Problem && ['no-old-provider', 'old-provider-is-target'].includes(error.code)
    if (!isElsewhere) throw error
    const { findBackups } = await import('../services/mastodon/env-write.ts')
    const { readStatements } = await import('../services/mastodon/env-text.ts')
    for (const { path, text } of await findBackups(installation.envFile.realPath)) {
      const active = readStatements(text).filter((statement) => statement.active)
      const settings = new Map(active.map(({ key, value }) => [key, { value, from: path }]))
      try {
        return read(settings)
      } catch (other) {
        if (!(other instanceof Problem)) throw other
      }
    }
    throw error
  }
}

function notCopiedHere(third: ThirdStorage, { bucket, mediaHost }: MigrationTarget): Problem {
  return new Problem({
    code: 'third-storage',
    what: `Mastodon stores its media at ${third.name}, and this program does not copy from there.`,
    why: `${thirdStorageCopy(third, bucket)}.`,
    next: prose`Once all of it is in ${bucket}, switch Mastodon, and copy once more what came meanwhile:
  ${toType('init', { mediaHost, bucket, existingMedia: 'switch' })}
Is there media on this machine, too? Add --from local.`,
    exit: 2,
  })
}
