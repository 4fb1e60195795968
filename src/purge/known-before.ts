import { bytesOf, count } from '../core/amounts.ts'
import { type KeyBatches, sortedKeys } from '../core/sorted-keys.ts'
import { stateHome } from '../core/state-home.ts'
import type { Finding, StepIn } from '../plan/step.ts'
import type { Beginning, ListsPort, NextList } from '../services/lists/port.ts'
import type { Here, PurgeRun } from './places.ts'

/** What is known of the bucket from earlier moments. */
export interface KnownBefore {
  /** Where the knowledge begins. */
  readonly from: Date
  readonly first: Beginning
  /** Every moment that is known, the latest first. */
  readonly moments: readonly Date[]
  /** What the latest of them had. */
  latest(): Promise<KeyBatches>
  /** What went before it, by when it was missed. */
  readonly gone: readonly { readonly to: Date; keys(): KeyBatches }[]
}

/** Lists of this bucket below the folder for state. */
export async function listsOf(
  { host }: Pick<PurgeRun, 'host'>,
  { target: { endpoint, bucket } }: Pick<Here, 'target'>,
): Promise<ListsPort> {
  const { openLists } = await import('../services/lists/lists.ts')
  return openLists({ stateHome: stateHome(host.environment), endpoint, bucket })
}

/**
 * The lists; where there is none yet, what `migrate` noted of the media that it copied here. Undefined
 * where there is neither. Problems: `lists-unreadable`, `checkpoint-unreadable`.
 */
export async function knownBefore(
  run: PurgeRun,
  here: Here,
  lists: ListsPort,
): Promise<KnownBefore | undefined> {
  const kept = await lists.read()
  if (kept) {
    const oldest = kept.gone.at(-1)
    return {
      from: oldest?.from ?? kept.at,
      first: oldest?.first ?? 'list',
      moments: [kept.at, ...kept.gone.map(({ from }) => from)],
      latest: async () => kept.keys(),
      gone: kept.gone,
    }
  }
  return await copiedBefore(run, here)
}

async function copiedBefore(
  { host, ui }: PurgeRun,
  { installation, target: { endpoint, bucket } }: Here,
): Promise<KnownBefore | undefined> {
  const { root } = installation.media
  if (root === undefined) return undefined
  const { openCheckpoint, checkpointId } = await import('../services/checkpoint/checkpoint.ts')
  const checkpoint = openCheckpoint({
    notice: (line) => ui.warn(line),
    stateHome: stateHome(host.environment),
    id: checkpointId(root, endpoint, bucket),
  })
  const at = await checkpoint.lastPut()
  if (at === undefined) return undefined
  return {
    from: at,
    first: 'copy',
    moments: [at],
    latest: () => sortedKeys(checkpoint.keys()),
    gone: [],
  }
}

/** What the bucket holds now, for a later run to see what has gone. */
export function keepList(
  lists: ListsPort,
  next: NextList,
  warnings: readonly string[],
): StepIn<unknown> {
  let isKept = false
  return {
    id: 'keep-list',
    title: 'List of the bucket',

    async look(): Promise<Finding> {
      if (isKept) return { is: 'ready', note: `kept in ${lists.path}` }
      const { keys } = next
      const what = `keep the list of what the bucket holds now, ${count(keys.keys)} names (${bytesOf(keys.bytes)}), in ${lists.path}`
      return { is: 'change', changes: [{ what, risk: 'safe' }], warnings }
    },

    async change() {
      await lists.keep(next)
      isKept = true
      return {}
    },
  }
}
