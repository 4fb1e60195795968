import type { Step } from '../plan/step.ts'
import { ownLifecycleRule } from './undoing.ts'

/** The lifecycle rule with our id; Cloudflare's own and those of others stay. */
export const undoLifecycle: Step<'cloudflare' | 'setup'> = {
  id: 'lifecycle',
  title: 'Lifecycle rule',

  async look({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    if (!rules.some(({ id }) => id === ownLifecycleRule)) {
      return { is: 'ready', note: 'no rule of this tool' }
    }
    const kept = rules.length === 1 ? '' : `; ${rules.length - 1} of others stay`
    return { is: 'change', changes: [{ what: `remove the lifecycle rule${kept}`, risk: 'safe' }] }
  },

  async change({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    await cloudflare.putLifecycle(
      setup.at,
      rules.filter(({ id }) => id !== ownLifecycleRule),
    )
    return {}
  },
}
