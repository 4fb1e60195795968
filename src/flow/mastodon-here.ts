import type { Host } from '../host.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { Settings } from '../settings/resolve.ts'
import type { SetupCatalog } from '../settings/setup-catalog.ts'

interface Here {
  readonly host: Host
  readonly settings: Pick<Settings<SetupCatalog>, 'get'>
}

/** Mastodon on this machine, where the flags or the working directory point. */
export async function findMastodonHere(
  { host, settings }: Here,
  /** How far media is counted; not at all where nobody asks how much there is. */
  countMedia?: { readonly files: number; readonly ms: number },
): Promise<Installation> {
  const { findMastodon } = await import('../services/mastodon/find.ts')
  return findMastodon({
    cwd: host.cwd,
    mastodonDir: settings.get('mastodonDir'),
    envFile: settings.get('envFile'),
    environment: host.environment,
    ...(countMedia && { countMedia }),
  })
}
