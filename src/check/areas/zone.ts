import type { World } from '../../plan/step.ts'
import { type Check, troubleOf } from '../../plan/verdict.ts'
import { unfitZone } from '../../setup/media-domain.ts'

/** The zone of the media host: active, not paused, in the bucket's account. */
export function zoneCheck({ setup }: Pick<World, 'setup'>): Check<never> {
  return {
    id: 'cloudflare-zone',
    about: 'Cloudflare',
    title: 'Zone',
    cost: 'look',
    async look() {
      const problem = unfitZone(setup.zone, setup.at.accountId)
      if (problem) return [troubleOf(problem)]
      return [{ severity: 'ok', saw: `${setup.zone.name} is active` }]
    },
  }
}
