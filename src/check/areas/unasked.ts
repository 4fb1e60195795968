import type { Problem } from '../../core/problem.ts'
import { type Check, troubleOf } from '../../plan/verdict.ts'

/** Stands for all checks of Cloudflare's side when there is no token, or one that is no good. */
export function unasked(problem: Problem | undefined): Check<never> {
  return {
    id: 'cloudflare-token',
    about: 'Cloudflare',
    title: 'API token',
    cost: 'look',
    async look() {
      if (problem) return [troubleOf(problem, { severity: 'warning' })]
      const saw =
        "no API token was given; with CLOUDFLARE_API_TOKEN or --api-token-file, Cloudflare's side is looked at, too"
      return [{ severity: 'skipped', saw }]
    },
  }
}
