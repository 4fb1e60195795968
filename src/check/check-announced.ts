import { announcementNotes, type HostToCome } from '../announce/notes.ts'
import { Problem } from '../core/problem.ts'
import type { Run } from '../flow/flow.ts'
import { remember } from '../flow/memory.ts'
import type { Announced } from '../plan/verdict.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { shellWord } from '../settings/replay.ts'
import { findTarget } from '../setup/target.ts'
import type { CheckCatalog } from './settings.ts'

/** Media hosts whose announcement was noted, and that are not in use yet. */
export async function announcedHosts(
  run: Run<CheckCatalog>,
  installation: Installation,
): Promise<readonly Announced[]> {
  try {
    const ownEndpoint = run.settings.get('s3EndpointUrl')
    const target = await findTarget(installation, ownEndpoint)
    const { storage, switchedOn } = remember(installation, ownEndpoint)
    const isOn = storage === 'r2' && switchedOn
    const extra = extraHosts(installation).filter((host) => host !== target.mediaHost)
    const hosts = isOn ? extra : [target.mediaHost]
    const found = hosts.map((mediaHost) => noted(run, installation, { ...target, mediaHost }, isOn))
    return (await Promise.all(found)).flat()
  } catch (error) {
    // Notes that can't be read, or no setup at all: there is nothing to tell.
    if (error instanceof Problem) return []
    throw error
  }
}

async function noted(
  run: Run<CheckCatalog>,
  installation: Installation,
  to: HostToCome,
  switchedOn: boolean,
): Promise<Announced[]> {
  const notes = await announcementNotes(run, installation, to, { switchedOn })
  const at = (await notes.read())?.announcedAt
  const { mediaHost } = to
  const switchWith = switchedOn
    ? `npx mastodon-r2 init --media-host ${shellWord(mediaHost)}`
    : 'npx mastodon-r2 migrate'
  return at === undefined ? [] : [{ mediaHost, at, switchWith }]
}

function extraHosts({ settings }: Installation): string[] {
  return (settings.get('EXTRA_MEDIA_HOSTS')?.value ?? '')
    .split(/[,\s]+/)
    .flatMap((entry) => (URL.canParse(entry) ? [new URL(entry).host] : []))
}
