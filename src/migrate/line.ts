import { type CommandFlags, ToType } from '../core/to-type.ts'
import { ofCloudflare } from '../settings/no-effect.ts'
import { repeated, replay } from '../settings/replay.ts'
import type { Resolved } from '../settings/resolve.ts'
import type { Stage } from '../settings/stages.ts'
import type { MigrateRun } from './migration.ts'
import { migrateFlags } from './settings.ts'
import { asksCloudflare, isOfWhole } from './stage-flags.ts'

type Entries = readonly [string, Resolved][]

/** Where the setup is, for every command alike. */
const wheres = new Set(['mastodonDir', 'mastodonEnv', 'mediaDir', 's3EndpointUrl', 'connectTo'])
/** The line that repeats a stage as it was, unattended. */
export function sameStageLine({ settings }: Pick<MigrateRun, 'settings'>, stage: Stage): ToType {
  const { command, flags, secrets } = replay('migrate', migrateFlags, own(settings, stage))
  return new ToType(command, { ...flags, stage }, secrets)
}

/** The line that goes on with another stage of the same migration; its plan is asked about. */
export function otherStageLine(
  { settings }: Pick<MigrateRun, 'settings'>,
  stage?: Stage,
  more: CommandFlags['migrate'] = {},
): ToType {
  const entries = own(settings, stage).filter(([name]) => isOfWhole(name, stage))
  const { command, flags, secrets } = repeated('migrate', migrateFlags, entries)
  return new ToType(command, { ...flags, ...(stage && { stage }), ...more }, secrets)
}

/**
 * The line that moves the media to what `init` has prepared, from wherever it is typed. From one
 * bucket on R2 to another it has to be told that the media is not on this machine.
 */
export function afterPrepareLine(
  entries: Entries,
  envFile: string,
  { isOnR2 }: { readonly isOnR2: boolean },
): ToType {
  const places = entries.filter(([name]) => wheres.has(name))
  const line = repeated('migrate', migrateFlags, places).with(isOnR2 ? { from: 's3' } : {})
  const isPlaced = places.some(([name]) => name === 'mastodonDir' || name === 'mastodonEnv')
  return isPlaced ? line : line.with({ mastodonEnv: envFile })
}

function own(settings: MigrateRun['settings'], stage: Stage | undefined): Entries {
  const needless = asksCloudflare(settings, stage) ? [] : ofCloudflare
  return settings
    .entries()
    .filter(([name]) => name !== 'stage' && !needless.some((one) => one === name))
}
