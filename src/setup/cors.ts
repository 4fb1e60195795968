import type { Finding, Step } from '../plan/step.ts'
import type { CorsRule } from '../services/cloudflare/port.ts'
import { othersStay, ownCorsRule, stays, type Undo } from './undoing.ts'

const OURS = 'mastodon-r2'

/**
 * Mastodon's web app reads media by script (audio player, service worker), so the media host has to
 * allow its origin (mastodon issues 14391, 29163). Rules of others stay.
 */
export const cors: Step<'cloudflare' | 'setup'> = {
  id: 'cors',
  title: 'CORS rule',

  async look({ cloudflare, setup }) {
    const rules = await cloudflare.getCors(setup.at)
    const origins = setup.corsOrigins.join(', ')
    if (rules.some((rule) => allows(rule, setup.corsOrigins))) {
      return { is: 'ready', note: `GET and HEAD allowed for ${origins}` }
    }
    const others = rules.filter(({ id }) => id !== OURS).length
    const kept =
      others === 0 ? '' : `; ${others} other ${others === 1 ? 'rule stays' : 'rules stay'}`
    return {
      is: 'change',
      changes: [{ what: `allow GET and HEAD for ${origins}${kept}`, risk: 'safe' }],
    }
  },

  async change({ cloudflare, setup }) {
    const others = (await cloudflare.getCors(setup.at)).filter(({ id }) => id !== OURS)
    const ours: CorsRule = {
      id: OURS,
      allowed: { origins: setup.corsOrigins, methods: ['GET', 'HEAD'] },
      maxAgeSeconds: 86_400,
    }
    await cloudflare.putCors(setup.at, [...others, ours])
    return {}
  },
}

function allows({ allowed }: CorsRule, origins: readonly string[]): boolean {
  const methods = allowed.methods.includes('GET') && allowed.methods.includes('HEAD')
  const all = allowed.origins.includes('*')
  return methods && (all || origins.every((origin) => allowed.origins.includes(origin)))
}

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
      const what = `remove the CORS rule${othersStay(rules.length - 1)}`
      return { is: 'change', changes: [{ what, risk: 'safe', goes: true }] }
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
