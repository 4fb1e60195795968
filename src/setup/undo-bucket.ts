import type { Finding, Step } from '../plan/step.ts'
import { stays, type Undo } from './undoing.ts'

/** The bucket goes only when it is empty, serves no host, and its flag was given. */
export function undoBucket(undo: Undo): Step<'cloudflare' | 'setup'> {
  return {
    id: 'bucket',
    title: 'Bucket',

    async look({ cloudflare, setup }): Promise<Finding> {
      const { at, mediaHost } = setup
      if (!(await cloudflare.findBucket(at))) {
        return { is: 'ready', note: `${at.bucket} does not exist` }
      }
      const [filled, hosts] = await Promise.all([
        cloudflare.hasObjects(at),
        cloudflare.listCustomDomains(at),
      ])
      if (filled === undefined) return stays('this token may not see whether it is empty')
      if (filled) return stays(`${at.bucket} is not empty`)
      const { detachDomain, deleteEmptyBucket } = undo.wishes
      const others = hosts.filter((host) => !(detachDomain && host === mediaHost))
      if (!deleteEmptyBucket) return stays(`${at.bucket} is empty`, 'deleteEmptyBucket')
      const [host] = others
      if (host === mediaHost) return stays(`it serves ${host}`, 'detachDomain')
      if (host !== undefined) return stays(`it serves ${others.join(', ')}, too`)
      const what = `delete the empty bucket ${at.bucket}`
      return { is: 'change', changes: [{ what, risk: 'destructive' }] }
    },

    async change({ cloudflare, setup }) {
      await cloudflare.deleteBucket(setup.at)
      return {}
    },
  }
}
