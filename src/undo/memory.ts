import { Problem } from '../core/problem.ts'
import type { Run } from '../flow/flow.ts'
import { findMastodonHere } from '../flow/mastodon-here.ts'
import { type Remembered, remember } from '../flow/memory.ts'
import { preparedPath } from '../flow/prepared-path.ts'
import type { EnvFileOnDisk, Installation } from '../services/mastodon/port.ts'
import type { SetupCatalog } from '../settings/setup-catalog.ts'

/**
 * Bucket and media host of the setup that is taken back: from the env file, the file prepared beside
 * it, or the newest backup that tells. Problem: `nothing-to-undo` when nothing does.
 */
export async function recallSetup(run: Run<SetupCatalog>): Promise<Installation> {
  const { settings } = run
  const installation = await findMastodonHere(run)
  const ownEndpoint = settings.get('s3EndpointUrl')
  const known = [
    remember(installation, ownEndpoint),
    ...(await olderTexts(installation)).map(([path, text]) =>
      remember(reading(installation, path, text), ownEndpoint),
    ),
  ]
  const found = known.find(({ storage, mediaHost }) => storage === 'r2' && mediaHost !== undefined)
  if (found) offer(run, found)
  if (settings.get('mediaHost') === undefined) throw nothing(installation.envFile)
  return installation
}

/** Path and text of each place that may tell, the best one first. */
async function olderTexts({ envFile }: Installation): Promise<[string, string][]> {
  const { readEnvFile } = await import('../services/mastodon/env-read.ts')
  const { findBackups } = await import('../services/mastodon/backups.ts')
  const prepared = await readEnvFile(preparedPath(envFile))
  const backups = [
    ...(await findBackups(envFile.realPath)),
    ...(await findBackups(prepared.realPath)),
  ]
  return [prepared, ...backups].map(({ path, text }) => [path, text])
}

function reading(installation: Installation, path: string, text: string): Installation {
  const lines = text.split(/\r\n|\n/).flatMap((line) => {
    const [, name, value] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, { value, from: path }] as const]
  })
  return { ...installation, settings: new Map(lines) }
}

function offer({ settings }: Run<SetupCatalog>, found: Remembered): void {
  const { mediaHost, bucket, accountId, jurisdiction } = found
  const isDefault = jurisdiction === 'default'
  const known = { mediaHost, bucket, accountId, ...(isDefault ? {} : { jurisdiction }) }
  for (const [name, value] of Object.entries(known)) {
    const setting = name as keyof typeof known
    if (value !== undefined && settings.get(setting) === undefined) {
      settings.offer(setting, value, found.from)
    }
  }
}

function nothing({ path }: EnvFileOnDisk): Problem {
  return new Problem({
    code: 'nothing-to-undo',
    what: 'There is nothing here to take back.',
    why: `Neither ${path} nor a backup beside it tells of a setup on R2.`,
    next: 'Name the env file with --env-file, or the setup with --media-host and --bucket.',
    exit: 2,
  })
}
