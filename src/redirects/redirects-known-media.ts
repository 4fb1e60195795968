import { Problem } from '../core/problem.ts'
import type { Finding, Step } from '../plan/step.ts'
import type { Redirecting } from './redirecting.ts'

/**
 * Before anything is redirected: a known file is in the bucket and public, and no new one appears at
 * the old place. `strict`: it is Cloudflare who redirects, so no file on this machine is found first.
 */
export function knownMediaIsPublic(
  { known, switchedOn }: Redirecting,
  { strict }: { readonly strict: boolean },
): Step<'connectS3' | 'web' | 'setup'> {
  return {
    id: 'known-media',
    title: 'Known media',

    async look(at): Promise<Finding> {
      const problem = (await known.fault(at)) ?? (switchedOn ? undefined : notSwitched())
      if (problem === undefined) {
        const count = (await known.keys(at)).length
        const files = count === 1 ? 'a known file is' : `${count} known files are`
        return { is: 'ready', note: `${files} in the bucket and at https://${at.setup.mediaHost}` }
      }
      if (strict) return { is: 'blocked', problem }
      return { is: 'later', note: problem.what, next: problem.next }
    },
  }
}

function notSwitched(): Problem {
  return new Problem({
    code: 'storage-not-switched',
    what: 'Mastodon still stores new media at the old place.',
    why: 'Redirected now, everything that is uploaded from here on would be out of sight.',
    next: 'Switch it first: npx mastodon-r2 migrate --stage cutover',
  })
}
