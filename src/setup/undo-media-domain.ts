import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { stays, type Undo } from './undoing.ts'

/** Milliseconds until Cloudflare shows the domain as gone. */
const GONE_MS = 60_000

/** The custom domain of the bucket; without it media is no longer served. */
export function undoMediaDomain(undo: Undo): Step<'cloudflare' | 'setup' | 'clock'> {
  return {
    id: 'media-domain',
    title: 'Custom domain',

    async look({ cloudflare, setup }): Promise<Finding> {
      const { at, mediaHost } = setup
      const [domain, filled] = await Promise.all([
        cloudflare.findCustomDomain(at, mediaHost),
        cloudflare.hasObjects(at),
      ])
      if (domain === undefined) return { is: 'ready', note: `${mediaHost} is not attached` }
      if (!undo.wishes.detachDomain) {
        return stays(`https://${mediaHost} serves the bucket`, 'detachDomain')
      }
      if (undo.inUse && !undo.wishes.evenIfInUse) {
        return { is: 'blocked', problem: inUse(setup) }
      }
      const loss = filled === false ? '' : ', and every link to media in the bucket breaks'
      const what = `detach ${mediaHost}: it stops answering${loss}`
      return { is: 'change', changes: [{ what, risk: 'destructive' }] }
    },

    async change({ cloudflare, setup, clock }) {
      const { at, mediaHost } = setup
      await cloudflare.detachCustomDomain(at, mediaHost)
      const start = clock.now().getTime()
      while (await cloudflare.findCustomDomain(at, mediaHost)) {
        if (clock.now().getTime() - start >= GONE_MS) break
        await clock.sleep(1_000)
      }
      return {}
    },
  }
}

function inUse({ mediaHost, at }: World['setup']): Problem {
  return new Problem({
    code: 'undo-in-use',
    what: `Mastodon uses the bucket ${at.bucket} now, and ${mediaHost} serves what is in it.`,
    why: 'Without the domain every picture and video in the bucket is out of reach, for your users and for other servers. Nothing was changed.',
    next: 'Copy the media back first, or add --even-if-in-use; leave --detach-domain out to take back the rest.',
    exit: 2,
  })
}
