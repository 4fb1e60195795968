import type { Finding, Step } from '../plan/step.ts'
import { ownCorsRule, stays, type Undo } from './undoing.ts'

/** The CORS rule with our id; rules of others stay. */
export function undoCors(undo: Undo): Step<'cloudflare' | 'setup'> {
  return {
    id: 'cors',
    title: 'CORS rule',

    async look({ cloudflare, setup }): Promise<Finding> {
      const rules = await cloudflare.getCors(setup.at)
      if (!rules.some(({ id }) => id === ownCorsRule)) {
        return { is: 'ready', note: 'no rule of this tool' }
      }
      if (await goesOn(undo)) {
        return stays('Mastodon goes on using the bucket')
      }
      const kept = rules.length === 1 ? '' : `; ${rules.length - 1} of others stay`
      return { is: 'change', changes: [{ what: `remove the CORS rule${kept}`, risk: 'safe' }] }
    },

    async change({ cloudflare, setup }) {
      const others = (await cloudflare.getCors(setup.at)).filter(({ id }) => id !== ownCorsRule)
      if (others.length === 0) await cloudflare.deleteCors(setup.at)
      else await cloudflare.putCors(setup.at, others)
      return {}
    },
  }
}

async function goesOn(undo: Undo): Promise<boolean> {
  const traces = await undo.traces()
  return undo.inUse && traces.some(({ restoration }) => restoration.is === 'foreign')
}
