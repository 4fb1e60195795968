import { Problem } from '../core/problem.ts'
import { hindrances, storageBlock } from '../flow/mastodon-here.ts'
import type { Place, World } from '../plan/step.ts'
import type { EnvFileOnDisk } from '../services/mastodon/port.ts'
import { overruled } from './env-file.ts'
import { knowsExtraHosts, otherProvidersHost, withExtraHost } from './media-hosts.ts'

/** How Mastodon's env file is changed so that it stores media on R2. */
export interface EnvSwitch {
  readonly text: string
  /** Settings that are written or commented out. */
  readonly names: readonly string[]
  /** Host of the provider before, which pages go on naming; undefined when there was none. */
  readonly keptHost: string | undefined
  readonly retired: ReadonlyMap<string, string>
}

/**
 * The prepared block switched on, or its values in the place of another provider's. Problems:
 * `env-file-overruled`, `env-file-hindered`; those of the editor are thrown.
 */
export function envSwitch(
  { place, facts, envWriter }: Pick<World, 'place' | 'facts' | 'envWriter'>,
  file: EnvFileOnDisk,
): EnvSwitch | Problem {
  const key = facts.accessKey ?? place.knownKey
  if (key === undefined) throw new Error('A migration has a key from its start.')
  const { installation, mediaHost } = place
  const { settings, version } = installation
  const block = storageBlock({ ...place, storage: 'switch' }, key)
  const old = otherProvidersHost(settings, mediaHost)
  const keptHost = old !== undefined && knowsExtraHosts(version) ? old : undefined
  const kept = new Map(
    keptHost === undefined
      ? []
      : [['EXTRA_MEDIA_HOSTS', withExtraHost(settings, keptHost)] as const],
  )
  const values = new Map([...block, ...kept])
  const problem = overruled(installation, file, values) ?? hindered(place, file)
  if (problem) return problem
  const retired = hindrances(settings)
  const switched = envWriter.edit(file.text, block, [...retired.keys()])
  // The block is a template of its own and has no such line.
  const text = kept.size === 0 ? switched : envWriter.edit(switched, kept, [])
  return { text, names: [...values.keys(), ...retired.keys()], keptHost, retired }
}

/** A line elsewhere stays in force, so Mastodon would be switched and not work. */
function hindered({ installation }: Place, { path }: EnvFileOnDisk): Problem | undefined {
  for (const [name, reason] of hindrances(installation.settings)) {
    const from = installation.settings.get(name)?.from
    if (from === path || from === undefined) continue
    return new Problem({
      code: 'env-file-hindered',
      what: `${from} sets ${name}, which does not fit R2 (${reason}).`,
      why: `Mastodon would go on using it; only ${path} is written here.`,
      next: `Remove ${name} from ${from}, and run this again.`,
      exit: 2,
    })
  }
  return undefined
}
