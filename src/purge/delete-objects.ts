import { bytesOf } from '../core/amounts.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import type { Targets } from './targets.ts'

/**
 * The files themselves. The cache is purged before, too: a token that may not do that is refused while
 * everything is still there.
 */
export function deleteObjects(
  { present }: Pick<Targets, 'present'>,
  purge: (at: Pick<World, 'cloudflare'>) => Promise<void>,
): Step<'connectS3' | 'place' | 'cloudflare'> {
  const left = async ({ connectS3, place }: Pick<World, 'connectS3' | 'place'>) => {
    const { knownKey } = place
    if (!knownKey) throw new Error('A target has a key.')
    const s3 = connectS3(knownKey)
    const found = await Promise.all(
      present.map(async (one) => ((await s3.head(one.key)) === undefined ? [] : [one])),
    )
    return { s3, objects: found.flat() }
  }
  return {
    id: 'delete-objects',
    title: 'Bucket',

    async look(at): Promise<Finding> {
      const { objects } = await left(at)
      const { bucket } = at.place.at
      if (objects.length === 0) return { is: 'ready', note: `none of it is in ${bucket}` }
      return {
        is: 'change',
        changes: objects.map(({ key, size }) => ({
          what: `delete ${key} (${bytesOf(size)}) from ${bucket}`,
          risk: 'destructive',
          goes: true,
        })),
      }
    },

    async change(at) {
      await purge(at)
      const { s3, objects } = await left(at)
      await s3.deleteMany(objects.map(({ key }) => key))
      return {}
    },
  }
}
