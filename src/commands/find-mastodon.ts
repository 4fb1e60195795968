import type { Host } from '../host.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { Settings } from '../settings/resolve.ts'
import type { SetupCatalog } from './setup-catalog.ts'

/** Mastodon on this machine, where the flags or the working directory point. */
export async function findMastodonHere({
  host,
  settings,
}: {
  readonly host: Host
  readonly settings: Pick<Settings<SetupCatalog>, 'get'>
}): Promise<Installation> {
  const { findMastodon } = await import('../services/mastodon/find.ts')
  return findMastodon({
    cwd: host.cwd,
    mastodonDir: settings.get('mastodonDir'),
    envFile: settings.get('envFile'),
    environment: host.environment,
  })
}
