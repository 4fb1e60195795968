import { counted } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import type { Finding, Step } from '../../plan/step.ts'
import type { Migration } from '../migration.ts'
import type { Slurp } from './slurp.ts'

/**
 * Pauses or aborts Super Slurper's jobs from the old bucket to the new one. What is copied stays; running
 * the migration again lets them go on, or starts new ones for what is missing.
 */
export function holdSlurper(
  { to }: Pick<Migration, 'to'>,
  { at, source, wish }: Slurp & { readonly wish: 'pause' | 'abort' },
): Step<'cloudflare'> {
  type Cloudflare = Parameters<Step<'cloudflare'>['look']>[0]['cloudflare']
  const holds = wish === 'pause' ? ['running'] : ['running', 'paused']

  async function jobs({ slurper }: Cloudflare) {
    if (source instanceof Problem) throw source
    const places = { source, target: { ...at, key: to.key } }
    const all = await slurper.listJobs(at.accountId, places)
    return all.filter(({ status }) => holds.includes(status))
  }

  return {
    id: 'super-slurper',
    title: 'Super Slurper',

    async look({ cloudflare }): Promise<Finding> {
      const found = await jobs(cloudflare)
      if (found.length === 0) return { is: 'ready', note: `no job to ${wish}` }
      const what = `${wish} ${counted(found.length, 'job')}; what is copied stays`
      return { is: 'change', changes: [{ what, risk: 'safe' }] }
    },

    async change({ cloudflare }) {
      const { slurper } = cloudflare
      for (const { id } of await jobs(cloudflare)) {
        await (wish === 'pause' ? slurper.pause(at.accountId, id) : slurper.abort(at.accountId, id))
      }
      return {}
    },
  }
}
