import type { Step } from '../plan/step.ts'
import type { LifecycleRule } from '../services/cloudflare/port.ts'

/** Seven days, as the rule that Cloudflare gives to new buckets. */
const WEEK_SECONDS = 604_800

/** Broken uploads would be stored, and paid for, until somebody aborts them. */
export const lifecycle: Step<'cloudflare' | 'setup'> = {
  id: 'lifecycle',
  title: 'Lifecycle rule',

  async look({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    const warnings = rules.filter(deletes).map(deletesMedia)
    if (rules.some(aborts)) {
      return { is: 'ready', note: 'broken uploads are removed by themselves', warnings }
    }
    return {
      is: 'change',
      changes: [{ what: 'remove broken uploads after 7 days', risk: 'safe' }],
      warnings,
    }
  },

  async change({ cloudflare, setup }) {
    const rules = await cloudflare.getLifecycle(setup.at)
    const ours: LifecycleRule = {
      id: 'mastodon-r2: abort broken uploads',
      enabled: true,
      conditions: {},
      abortMultipartUploadsTransition: { condition: { type: 'Age', maxAge: WEEK_SECONDS } },
    }
    await cloudflare.putLifecycle(setup.at, [...rules.filter(({ id }) => id !== ours.id), ours])
    return {}
  },
}

function aborts(rule: LifecycleRule): boolean {
  const everywhere = (rule.conditions?.prefix ?? '') === ''
  return rule.enabled && everywhere && rule.abortMultipartUploadsTransition !== undefined
}

function deletes(rule: LifecycleRule): boolean {
  return rule.enabled && rule.deleteObjectsTransition !== undefined
}

function deletesMedia(rule: LifecycleRule): string {
  return `The bucket's lifecycle rule "${rule.id}" deletes objects; Mastodon expects its media to stay. It is left as it is: look at it in the dashboard.`
}
